/**
 * What moves on the page. Without it the page shows every run as a list; with it the run is stepped through. Written for
 * browsers, so it is text here; `test/browser` runs it. Nothing of a report is put into it, so its hash is constant.
 */
export const PAGE_SCRIPT = `'use strict';
for (const run of document.querySelectorAll('.run')) {
  const data = JSON.parse(run.querySelector('script[type="application/json"]').textContent);
  const find = (selector) => run.querySelector(selector);
  const steps = [...run.querySelectorAll('.steps > li')];
  const marks = [...run.querySelectorAll('.mark')];
  const frame = run.closest('.finding');
  const previous = find('.previous');
  const next = find('.next');
  const lanes = find('.lanes');
  let at = 0;

  const show = (step, tell) => {
    at = Math.max(0, Math.min(steps.length - 1, step));
    run.dataset.at = String(at + 1);
    find('.position').textContent = 'Step ' + (at + 1) + ' of ' + steps.length;
    find('.now').textContent = data.steps[at];
    steps.forEach((item, i) => {
      if (i === at) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
    marks.forEach((mark, i) => {
      mark.classList.toggle('current', i === at);
      mark.classList.toggle('later', i > at);
    });
    // aria-disabled, not disabled: a button that loses the focus would throw the keyboard user out.
    previous.setAttribute('aria-disabled', String(at === 0));
    next.setAttribute('aria-disabled', String(at === steps.length - 1));
    data.rows.forEach((row, i) => {
      const cell = run.querySelectorAll('.state tbody tr[data-row]')[i];
      const value = cell.querySelector('td');
      value.textContent = row.values[at] === '' ? 'unchanged' : row.values[at];
      cell.classList.toggle('changed', row.changedAt.includes(at));
    });
    for (const line of frame.querySelectorAll('.code .current')) line.classList.remove('current');
    const place = data.places[at];
    const line = place === null ? null : document.getElementById(place);
    if (line !== null) line.classList.add('current');
    const mark = marks[at];
    if (tell && mark !== undefined) {
      const box = mark.getBoundingClientRect();
      const view = lanes.getBoundingClientRect();
      if (box.left < view.left || box.right > view.right) lanes.scrollLeft += box.left - view.left - view.width / 2;
    }
  };

  previous.addEventListener('click', () => show(at - 1, true));
  next.addEventListener('click', () => show(at + 1, true));
  marks.forEach((mark, i) =>
    mark.addEventListener('click', (event) => {
      event.preventDefault();
      show(i, false);
      run.querySelector('.player').focus({ preventScroll: true });
    }),
  );
  steps.forEach((item, i) =>
    item.addEventListener('click', (event) => {
      if (event.target.closest('a') === null) show(i, true);
    }),
  );
  run.querySelector('.player').addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      j: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      k: at - 1,
      Home: 0,
      End: steps.length - 1,
    };
    if (!Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    show(moves[event.key], true);
  });
  run.classList.add('live');
  show(0, false);
}
`;
