/** Names of flags of an entry in `$bit:NAME`: which attribute is meant, and whether it is there when the bit is 1. */
export interface EntryBit {
  readonly attribute: 'present' | 'write' | 'dirty' | 'young' | 'exec' | 'cont';
  readonly set: boolean;
}

const BITS: Readonly<Record<string, EntryBit>> = {
  present: { attribute: 'present', set: true },
  invalid: { attribute: 'present', set: false },
  write: { attribute: 'write', set: true },
  readonly: { attribute: 'write', set: false },
  dirty: { attribute: 'dirty', set: true },
  young: { attribute: 'young', set: true },
  exec: { attribute: 'exec', set: true },
  cont: { attribute: 'cont', set: true },
};

/** The flag of that name; null for one that the model does not follow (`$bit:none`). */
export const entryBit = (name: string): EntryBit | null => BITS[name] ?? null;

/** A number for the flag of that name, another one for each. */
export const entryBitNumber = (name: string): number => Object.keys(BITS).indexOf(name);
