/**
 * Arithmetic on addresses that are known only by their position relative to the witness (DESIGN.md rule 5).
 *
 * Positions in the order of addresses: far, pgd, p4d, pud, pmd, pte (w's own page), past-pmd, past-pud; past is any
 * of those behind w's page.
 */
import { type Gap, LEVELS, type Level } from '#event/value.js';
import type { Step } from './step.js';

const ORDER: readonly Gap[] = ['far', 'pgd', 'p4d', 'pud', 'pmd', 'pte', 'past-pmd', 'past-pud', 'past'];

const rank = (gap: Gap): number => ORDER.indexOf(gap);

/** Does the address lie behind w's page? */
export const isPast = (gap: Gap | '?'): gap is 'past' | 'past-pmd' | 'past-pud' => gap.startsWith('past');

/** Is the address known to lie inside w's granule of this level? */
export function inGranule(gap: Gap, level: number): boolean {
  if (gap === 'past' || gap === 'far') return false;
  if (gap === 'past-pmd' || gap === 'past-pud') return (gap === 'past-pmd' ? 1 : 2) <= level;
  return LEVELS.indexOf(gap) <= level;
}

/** Level whose leaf size this many bytes is at least, or null for less than a page. 4K pages, 9 bits a level. */
export function granuleOf(bytes: number): Level | null {
  if (bytes >= 2 ** 39) return bytes >= 2 ** 48 ? 'pgd' : 'p4d';
  if (bytes >= 2 ** 30) return 'pud';
  if (bytes >= 2 ** 21) return 'pmd';
  return bytes >= 4096 ? 'pte' : null;
}

/** Questions about where an entry's addresses lie: one answer in a run. */
export const firstAddressOf = (level: Level): string => `first address of w's ${level} granule`;
export const addressIn = (level: Level): string => `address in w's ${level} granule`;

function pick(step: Step, key: string, options: readonly Gap[]): Gap {
  return options[step.choose(key, options)] as Gap;
}

/** Levels from w's page up to `gap`: where an address lands that moves on by granules without jumping over w. */
function upTo(gap: Gap): Gap[] {
  return ORDER.filter((found) => !isPast(found) && rank(found) >= rank(gap)).reverse();
}

/**
 * Address plus a number of bytes. From w's own granule it goes past w; from before, it lands at w or still before it:
 * an address that steps by granules is taken to be aligned to them, so it never jumps over w.
 */
export function advance(step: Step, gap: Gap | '?', by: Level | null): Gap | '?' {
  if (by === null || gap === 'past' || gap === '?') return gap;
  if (isPast(gap)) return 'past';
  if (inGranule(gap, LEVELS.indexOf(by))) return 'past';
  const options = upTo(gap).filter((found) => found === 'pte' || found === by || rank(found) < rank(by));
  return pick(step, 'loop position', options);
}

/** Start of the granule that holds the address. */
export function alignDown(step: Step, gap: Gap | '?', to: Level | null): Gap | '?' {
  if (to === null || gap === '?') return gap;
  if (gap === 'past') {
    if (to === 'pte') return 'past';
    return pick(step, `address past w in w's ${to} granule`, ['past', to]);
  }
  if (isPast(gap)) return inGranule(gap, LEVELS.indexOf(to)) ? to : gap;
  return inGranule(gap, LEVELS.indexOf(to)) ? (to === 'pte' ? 'pte' : gap === 'pte' ? 'pte' : to) : gap;
}

export function alignUp(step: Step, gap: Gap | '?', to: Level | null): Gap | '?' {
  if (to === null || to === 'pte' || gap === '?' || gap === 'past') return gap;
  if (isPast(gap)) return 'past';
  if (inGranule(gap, LEVELS.indexOf(to)))
    return pick(step, `address aligned to its ${to} granule`, [gap, 'past']);
  return pick(step, 'aligned position', [gap, to]);
}

/**
 * The address with the bits of `mask` set: where the mask is a large granule less a small one, that is the last small
 * granule of the large one that holds the address (`addr |= PUD_SIZE - PMD_SIZE`).
 */
export function lastGranule(step: Step, gap: Gap | '?', mask: number): Gap | '?' {
  if (gap === '?' || isPast(gap) || (mask >= 0 && mask < 4096)) return gap;
  if (mask < 0 || !Number.isSafeInteger(mask)) return '?';
  let small = 1;
  while (mask % (small * 2) === 0) small *= 2;
  const [to, of] = [granuleOf(small), granuleOf(mask + small)];
  if (to === null || of === null || !Number.isInteger(Math.log2(mask + small))) return '?';
  if (!inGranule(gap, LEVELS.indexOf(of))) return gap;
  const near = inGranule(gap, LEVELS.indexOf(to)) ? gap : to;
  return pick(
    step,
    `w lies in the last ${to} granule of its ${of} granule`,
    near === 'pte' ? ['past', 'pte'] : ['past', near, 'pte'],
  );
}

/** The smaller of the next granule boundary and `end` (p?d_addr_end). */
export function addressEnd(step: Step, gap: Gap | '?', end: Gap | '?', level: Level): Gap | '?' {
  if (gap === '?' || isPast(gap)) return gap;
  const l = LEVELS.indexOf(level);
  if (inGranule(gap, l)) return end === 'past' || end === '?' ? 'past' : end;
  const boundary = pick(
    step,
    'loop position',
    upTo(gap).filter((found) => found === 'pte' || found === level || rank(found) < rank(level)),
  );
  if (end === 'past' || end === '?') return boundary;
  return rank(end) < rank(boundary) ? end : boundary;
}

/** -1, 0, 1 for less, equal, greater; null when the positions do not decide. Addresses are page aligned. */
export function compare(a: Gap | '?', b: Gap | '?'): -1 | 0 | 1 | null {
  if (a === '?' || b === '?') return null;
  if (a === b) return a === 'pte' ? 0 : null;
  if (isPast(a) && isPast(b) && (a === 'past' || b === 'past')) return null;
  return rank(a) < rank(b) ? -1 : 1;
}
