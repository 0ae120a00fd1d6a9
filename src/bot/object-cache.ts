/**
 * Git objects that were fetched, by what names them. They never change, so that what fits is kept: the files of a
 * kernel are mostly the same from one pull request to the next.
 */
export class ObjectCache {
  readonly #objects = new Map<string, { readonly value: unknown; readonly size: number }>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #capacity: number;
  #size = 0;

  /** @param capacity bytes, roughly */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The object, fetched once however many ask at a time. A failure is not kept. */
  async get<T>(key: string, fetch: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const known = this.#objects.get(key);
    if (known !== undefined) {
      // Last asked for, last to go.
      this.#objects.delete(key);
      this.#objects.set(key, known);
      return known.value as T;
    }
    const running = this.#running.get(key);
    if (running !== undefined) return running as Promise<T>;
    const fetched = fetch();
    this.#running.set(key, fetched);
    try {
      const value = await fetched;
      this.#keep(key, value, sizeOf(value) + key.length);
      return value;
    } finally {
      this.#running.delete(key);
    }
  }

  #keep(key: string, value: unknown, size: number): void {
    if (size > this.#capacity / 4) return;
    this.#objects.set(key, { value, size });
    this.#size += size;
    for (const [oldest, { size: freed }] of this.#objects) {
      if (this.#size <= this.#capacity) break;
      this.#objects.delete(oldest);
      this.#size -= freed;
    }
  }
}
