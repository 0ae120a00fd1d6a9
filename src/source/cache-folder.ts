/**
 * A folder of things that are quicker to read again than to work out again. Nothing depends on it: what cannot be read or
 * written, whatever the reason, is worked out. Any number of programs may use it at the same time, and end at any place.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Bytes kept under a name, from one run to the next or only for this one. */
export interface Cache {
  /** What was put there under this key, whole; null when it is not there or was damaged. */
  get(key: string): Uint8Array | null;
  /** Replaces what is there. Never fails. */
  put(key: string, bytes: Uint8Array): void;
}

export interface CacheLimits {
  /** All entries together. */
  readonly bytes: number;
  /** One entry. */
  readonly entryBytes: number;
}

const LIMITS: CacheLimits = { bytes: 384 * 1024 * 1024, entryBytes: 64 * 1024 * 1024 };
/** Its age tells a file that somebody is writing from one that a killed program left. */
const LEFT_MILLISECONDS = 3_600_000;
/** How old the last use of an entry must be before another one is noted: reading should write nothing most of the time. */
const NOTED_MILLISECONDS = 3_600_000;
/** Part of the limit that is kept when the folder has become too large. */
const KEPT = 0.75;
/** Bytes written between two looks at the size of the folder. */
const LOOK_AGAIN = 16 * 1024 * 1024;

const MAGIC = 0x73646331;
const HEAD_BYTES = 12;

/**
 * The cache in this folder, which is made when something is first put there. `version` names who understands the
 * entries; those of another version are never read, and go first when room is needed.
 */
export function openCache(folder: string, version: string, limits: CacheLimits = LIMITS): Cache {
  return new CacheFolder(folder, version, limits);
}

class CacheFolder implements Cache {
  private readonly prefix: string;
  private written = Number.POSITIVE_INFINITY;
  private isClosed = false;

  constructor(
    private readonly folder: string,
    version: string,
    private readonly limits: CacheLimits,
  ) {
    this.prefix = digest(version).slice(0, 8);
  }

  get(key: string): Uint8Array | null {
    const path = this.pathOf(key);
    try {
      const { size, mtimeMs } = statSync(path);
      if (size < HEAD_BYTES || size > this.limits.entryBytes) return null;
      const bytes = readFileSync(path);
      const body = checked(bytes);
      if (body === null) {
        unlinkSync(path);
        return null;
      }
      if (Date.now() - mtimeMs > NOTED_MILLISECONDS) touch(path);
      return body;
    } catch {
      return null;
    }
  }

  put(key: string, body: Uint8Array): void {
    if (this.isClosed || body.length + HEAD_BYTES > this.limits.entryBytes) return;
    const path = this.pathOf(key);
    const unfinished = join(this.folder, `unfinished-${process.pid}-${randomBytes(8).toString('hex')}`);
    try {
      // What a review read may be nobody else's to see.
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      writeFileSync(unfinished, Buffer.concat([headOf(body), body]), { flag: 'wx', mode: 0o600 });
      renameSync(unfinished, path);
    } catch {
      // A full disk or a folder that cannot be written stays so for this run.
      this.isClosed = true;
      removeQuietly(unfinished);
      return;
    }
    this.written += body.length;
    if (this.written < Math.min(LOOK_AGAIN, this.limits.bytes / 8)) return;
    this.written = 0;
    this.makeRoom();
  }

  /** Takes out what killed programs left and, when there is too much, what was not used for the longest. */
  private makeRoom(): void {
    const entries: { readonly path: string; readonly size: number; readonly age: number }[] = [];
    const now = Date.now();
    let total = 0;
    for (const name of namesIn(this.folder)) {
      const path = join(this.folder, name);
      try {
        const { size, mtimeMs } = statSync(path);
        const age = now - mtimeMs;
        if (name.startsWith('unfinished-')) {
          if (age > LEFT_MILLISECONDS) removeQuietly(path);
        } else if (ENTRY.test(name)) {
          total += size;
          entries.push({
            path,
            size,
            age: name.startsWith(this.prefix) ? age : age + Number.MAX_SAFE_INTEGER / 2,
          });
        }
      } catch {
        // Somebody else was quicker.
      }
    }
    if (total <= this.limits.bytes) return;
    for (const { path, size } of entries.sort((a, b) => b.age - a.age)) {
      if (total <= this.limits.bytes * KEPT) return;
      removeQuietly(path);
      total -= size;
    }
  }

  private pathOf(key: string): string {
    return join(this.folder, `${this.prefix}-${digest(key)}`);
  }
}

const ENTRY = /^[0-9a-f]{8}-[0-9a-f]{40}$/;

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 40);

/** Mark, length and checksum of what follows. */
function headOf(body: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(crc32(body), 8);
  return head;
}

/** What an entry holds; null when it is not what was written. */
function checked(bytes: Buffer): Uint8Array | null {
  if (bytes.length < HEAD_BYTES || bytes.readUInt32LE(0) !== MAGIC) return null;
  // A copy of its own: its first byte lies where numbers of four bytes may begin.
  const body = new Uint8Array(bytes.subarray(HEAD_BYTES));
  return bytes.readUInt32LE(4) === body.length && bytes.readUInt32LE(8) === crc32(body) ? body : null;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function touch(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Only its age is wrong then.
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or stays.
  }
}
