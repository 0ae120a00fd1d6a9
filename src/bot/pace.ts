/**
 * How fast an installation may be written to. GitHub counts what an app creates (about 80 contents a minute, 500 an
 * hour) and, when that or anything else is too much, names a time to wait; Probot by itself does not wait and repeat.
 */

export interface Pace {
  /** Books the installation's next slot for a write; gives the milliseconds until it. */
  slot(installation: number): Promise<number>;
  /** GitHub asked this installation to be silent for so long. A shorter hold does not end a longer one. */
  hold(installation: number, milliseconds: number): Promise<void>;
  /** Milliseconds for which the installation is to be silent; 0 when it may speak. */
  heldFor(installation: number): Promise<number>;
}

/** For an app that is one process. @param interval milliseconds between two writes to one installation */
export class MemoryPace implements Pace {
  readonly #next = new Map<number, number>();
  readonly #held = new Map<number, number>();
  readonly #interval: number;

  constructor(interval: number) {
    this.#interval = interval;
  }

  async slot(installation: number): Promise<number> {
    const now = Date.now();
    const at = Math.max(now, this.#next.get(installation) ?? 0);
    this.#next.set(installation, at + this.#interval);
    return at - now;
  }

  async hold(installation: number, milliseconds: number): Promise<void> {
    const until = Date.now() + milliseconds;
    this.#held.set(installation, Math.max(until, this.#held.get(installation) ?? 0));
  }

  async heldFor(installation: number): Promise<number> {
    return Math.max(0, (this.#held.get(installation) ?? 0) - Date.now());
  }
}
