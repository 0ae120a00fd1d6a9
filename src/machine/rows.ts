/** Numbers for rows of numbers, in the order in which they come: equal rows have one number. */
export class Rows {
  /** All rows, one behind the other, and the one that is being written. */
  private numbers = new Int32Array(256);
  private readonly starts = [0];
  private end = 0;
  /** By hash: the row's number plus one. At least half of it is free. */
  private table = new Int32Array(128);
  private readonly hashes: number[] = [];

  get size(): number {
    return this.starts.length - 1;
  }

  /** Writes on at the row that `close` ends. */
  push(number: number): void {
    if (this.end === this.numbers.length) {
      const numbers = new Int32Array(this.end * 2);
      numbers.set(this.numbers);
      this.numbers = numbers;
    }
    this.numbers[this.end] = number;
    this.end += 1;
  }

  /** The number of the row that was written. */
  close(): number {
    const row = this.size;
    const start = this.starts[row] as number;
    let hash = this.end - start;
    for (let n = start; n < this.end; n += 1) {
      hash = Math.imul(hash ^ (this.numbers[n] as number), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    let at = hash & (this.table.length - 1);
    for (let other = this.table[at] as number; other !== 0; other = this.table[at] as number) {
      if (this.hashes[other - 1] === hash && this.isRow(other - 1, start)) {
        this.end = start;
        return other - 1;
      }
      at = (at + 1) & (this.table.length - 1);
    }
    this.table[at] = row + 1;
    this.starts.push(this.end);
    this.hashes.push(hash);
    if (row * 2 >= this.table.length) this.spread();
    return row;
  }

  at(row: number, n: number): number {
    return this.numbers[(this.starts[row] as number) + n] as number;
  }

  /** Are two rows of one length equal but for this column? */
  alikeBut(row: number, other: number, column: number): boolean {
    const from = this.starts[row] as number;
    const away = (this.starts[other] as number) - from;
    const end = this.starts[row + 1] as number;
    for (let at = from; at < end; at += 1)
      if (this.numbers[at] !== this.numbers[at + away] && at !== from + column) return false;
    return true;
  }

  private isRow(row: number, start: number): boolean {
    const other = this.starts[row] as number;
    const length = this.end - start;
    if ((this.starts[row + 1] as number) - other !== length) return false;
    for (let n = 0; n < length; n += 1) if (this.numbers[other + n] !== this.numbers[start + n]) return false;
    return true;
  }

  private spread(): void {
    this.table = new Int32Array(this.table.length * 2);
    this.hashes.forEach((hash, row) => {
      let at = hash & (this.table.length - 1);
      while (this.table[at] !== 0) at = (at + 1) & (this.table.length - 1);
      this.table[at] = row + 1;
    });
  }
}
