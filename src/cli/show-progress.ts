import type { Progress } from '#review/document.js';

export interface ProgressLine {
  /** Is there a terminal that shows it? */
  readonly visible: boolean;
  readonly show: (event: Progress) => void;
  /** So many parts of all are done: from then on the line begins with a bar. */
  readonly count: (done: number, of: number) => void;
  readonly clear: () => void;
}

interface ErrorStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const PATIENCE = 1000;
const INTERVAL = 100;
const BAR = 20;

/** One line on stderr that says what is being searched: only on a terminal, and only once a second has passed. */
export function showProgress(stream: ErrorStream, now: () => number): ProgressLine {
  if (stream.isTTY !== true) return { visible: false, show: () => {}, count: () => {}, clear: () => {} };
  const start = now();
  let last = 0;
  let shown = false;
  let lead = '';
  let doing = '';
  const draw = (): void => {
    const time = now();
    if (time - start < PATIENCE || time - last < INTERVAL) return;
    last = time;
    shown = true;
    const plain = [...`${lead}${doing}`].filter((c) => c >= ' ' && c !== '\u007f').join('');
    stream.write(`\r\u001b[K${plain.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  return {
    visible: true,
    show: (event) => {
      if (event.kind === 'patch') {
        if (event.of > 1) lead = `patch ${event.index + 1}/${event.of}: `;
        return;
      }
      doing = `${event.function} (${event.file}) on ${event.machine}`;
      draw();
    },
    count: (done, of) => {
      const full = Math.floor((done / of) * BAR);
      lead = `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${done}/${of} `;
      draw();
    },
    clear: () => {
      if (shown) stream.write('\r\u001b[K');
      shown = false;
    },
  };
}
