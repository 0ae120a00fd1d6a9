/** mmu_gather: what it will flush and free, kept as one short text per gather. */
import { levelAt, type Step } from './step.js';

export interface Gather {
  readonly name: string;
  open: boolean;
  /** Opened by the program itself. */
  own: boolean;
  /** The whole mm goes: everything is flushed. */
  full: boolean;
  /** Strides in whose flush range the witness lies (mask of levels). */
  tracked: number;
  /** The flush reaches walk caches and lazy CPUs. */
  tables: boolean;
  /** The witness's page is queued. */
  page: boolean;
  /** Levels whose table is queued (mask). */
  queued: number;
  /** The program recorded something in it. */
  tracks: boolean;
  save(): void;
}

const flag = (b: boolean): string => (b ? '1' : '0');

function decode(step: Step, name: string, text: string): Gather {
  const [bits = '000000', tracked = '0', queued = '0'] = text.split(' ');
  const gather: Gather = {
    name,
    open: bits[0] === '1',
    own: bits[1] === '1',
    full: bits[2] === '1',
    tables: bits[3] === '1',
    page: bits[4] === '1',
    tracks: bits[5] === '1',
    tracked: Number(tracked),
    queued: Number(queued),
    save() {
      const flags =
        flag(gather.open) +
        flag(gather.own) +
        flag(gather.full) +
        flag(gather.tables) +
        flag(gather.page) +
        flag(gather.tracks);
      step.state.note(`gather:${name}`, gather.open ? `${flags} ${gather.tracked} ${gather.queued}` : null);
    },
  };
  return gather;
}

/** The gather of this name; `unseen` is true when nobody opened it here: then the caller did. */
export function readGather(step: Step, name: string): { readonly gather: Gather; readonly unseen: boolean } {
  const text = step.state.extra.get(`gather:${name}`);
  if (text !== undefined) return { gather: decode(step, name, text), unseen: false };
  // Memory of a local (`L…`) of the program: nobody can have filled it before.
  return { gather: decode(step, name, '100000 0 0'), unseen: !/^L\d/.test(name) };
}

export function readGathers(step: Step): Gather[] {
  const found: Gather[] = [];
  for (const [name, text] of step.state.extra)
    if (name.startsWith('gather:')) found.push(decode(step, name.slice(7), text));
  return found;
}

export function describeGather(text: string): string {
  const [bits = '', tracked = '0', queued = '0'] = text.split(' ');
  const levels = (mask: number): string =>
    [0, 1, 2, 3, 4]
      .filter((l) => (mask & (1 << l)) !== 0)
      .map(levelAt)
      .join(', ');
  const parts: string[] = [];
  if (bits[2] === '1') parts.push('whole mm');
  if (tracked !== '0') parts.push(`flush range holds the address (${levels(Number(tracked))})`);
  if (bits[3] === '1') parts.push('flush reaches walk caches');
  if (bits[4] === '1') parts.push('page queued');
  if (queued !== '0') parts.push(`table queued (${levels(Number(queued))})`);
  return parts.length === 0 ? 'open, nothing of this address' : parts.join('; ');
}
