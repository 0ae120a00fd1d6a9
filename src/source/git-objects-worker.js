// @ts-check
/**
 * The other half of git-objects.ts: a thread that keeps one `git cat-file --batch` running for each repository, so that
 * the thread that reads trees can wait for it. JavaScript, since a thread starts from a file that Node runs as it is.
 */
import { spawn } from 'node:child_process';
import { workerData } from 'node:worker_threads';

/** @typedef {{ id: string, kind: string, bytes: Uint8Array<ArrayBuffer> | null }} Found */
/** @typedef {{ dir: string, env: NodeJS.ProcessEnv, ids: readonly string[], most: number }} Request */
/** @typedef {{ objects: Found[], failure: string | null }} Answer */

/** A repository that nobody asks for lets its process go. */
const IDLE_MILLISECONDS = 20_000;
const MOST_PROCESSES = 8;

const ENDED = 'an object cannot be read: the repository is damaged, or a partial clone (nothing is fetched)';

/** @type {{ signal: Int32Array<SharedArrayBuffer>, port: import('node:worker_threads').MessagePort }} */
const { signal, port } = workerData;
/** @type {Map<string, Batch>} */
const batches = new Map();

class Batch {
  /** @type {Found[]} */
  objects = [];
  /** @type {string | null} */
  failure = null;
  /** @type {(() => void) | null} */
  done = null;
  wanted = 0;
  most = 0;
  /** @type {Buffer[]} */
  parts = [];
  /** Bytes of the object's content that are still to come, with the line feed after it. */
  left = 0;
  /** @type {{ id: string, kind: string, keep: boolean, size: number } | null} */
  header = null;
  /** @type {NodeJS.Timeout | undefined} */
  idle;

  /**
   * @param {string} dir
   * @param {NodeJS.ProcessEnv} env
   */
  constructor(dir, env) {
    this.dir = dir;
    this.child = spawn('git', ['-C', dir, 'cat-file', '--batch'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    this.child.stdout.on('data', (chunk) => this.take(chunk));
    this.child.stdin.on('error', () => this.fail(ENDED));
    this.child.on('error', () => this.fail('git cannot be run: is it installed?'));
    this.child.on('close', () => this.fail(ENDED));
  }

  /** @param {Request} request */
  async read({ ids, most }) {
    clearTimeout(this.idle);
    this.objects = [];
    this.most = most;
    this.wanted = ids.length;
    if (this.failure === null && ids.length > 0) {
      await new Promise((resolve) => {
        this.done = () => resolve(undefined);
        this.child.stdin.write(`${ids.join('\n')}\n`);
      });
    }
    this.done = null;
    this.idle = setTimeout(() => this.end(), IDLE_MILLISECONDS);
  }

  end() {
    clearTimeout(this.idle);
    if (batches.get(this.dir) === this) batches.delete(this.dir);
    this.child.stdin.end();
  }

  /** @param {string} reason */
  fail(reason) {
    this.failure ??= reason;
    if (batches.get(this.dir) === this) batches.delete(this.dir);
    this.done?.();
  }

  /** @param {Buffer} chunk */
  take(chunk) {
    let at = 0;
    while (at < chunk.length) {
      if (this.header === null) {
        const end = chunk.indexOf(0x0a, at);
        this.parts.push(chunk.subarray(at, end < 0 ? chunk.length : end));
        at = end < 0 ? chunk.length : end + 1;
        if (end >= 0) this.startObject(joined(this.parts).toString('latin1'));
        continue;
      }
      const part = chunk.subarray(at, at + this.left);
      at += part.length;
      this.left -= part.length;
      if (this.header.keep) this.parts.push(part);
      if (this.left === 0) this.endObject();
    }
    if (this.objects.length >= this.wanted) this.done?.();
  }

  /** @param {string} line */
  startObject(line) {
    this.parts = [];
    const [id = '', kind = '', size] = line.split(' ');
    if (size === undefined) {
      this.objects.push({ id, kind: 'missing', bytes: null });
      return;
    }
    this.header = { id, kind, size: Number(size), keep: Number(size) <= this.most };
    this.left = Number(size) + 1;
  }

  endObject() {
    if (this.header === null) return;
    const { id, kind, keep, size } = this.header;
    const bytes = keep ? new Uint8Array(size) : null;
    if (bytes !== null) joined(this.parts).copy(bytes, 0, 0, size);
    this.objects.push({ id, kind, bytes });
    this.header = null;
    this.parts = [];
  }
}

/** @param {Buffer[]} parts */
function joined(parts) {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

/** @param {Request} request */
function batchFor({ dir, env }) {
  const known = batches.get(dir);
  if (known !== undefined) return known;
  for (const oldest of batches.values()) {
    if (batches.size < MOST_PROCESSES) break;
    oldest.end();
  }
  const batch = new Batch(dir, env);
  batches.set(dir, batch);
  return batch;
}

port.on('message', async (/** @type {Request} */ request) => {
  const batch = batchFor(request);
  await batch.read(request);
  /** @type {Answer} */
  const answer = { objects: batch.objects, failure: batch.failure };
  port.postMessage(
    answer,
    batch.objects.flatMap(({ bytes }) => (bytes === null ? [] : [bytes.buffer])),
  );
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
});
