import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { fileText, maxFileBytes } from './file-text.js';
import { gitEnvironment } from './git-command.js';
import { SourceError } from './snapshot.js';

/** An entry of a tree object. */
export interface TreeEntry {
  readonly kind: 'file' | 'folder' | 'link' | 'submodule';
  readonly id: string;
}

export interface GitCommit {
  readonly tree: string;
  /** As written in the commit; in a shallow clone some are not there. */
  readonly parents: readonly string[];
  /** `Name <mail>`. */
  readonly author: string;
  /** As mails write dates. */
  readonly date: string | null;
  readonly message: string;
}

/** Objects asked for at once; their sizes are bounded one by one. */
const mostAtOnce = 64;
/** Characters of file texts and bytes of folders that are kept. */
const mostKept = 96 * 1024 * 1024;
/** How long one answer may take on a slow disk. */
const mostMilliseconds = 300_000;

/**
 * The objects of a git repository by id, read by a `git cat-file --batch` that keeps running. What is kept in memory is
 * bounded, however many revisions are read. Methods throw SourceError `git` where the repository is damaged or an object
 * is missing (a partial clone: nothing is fetched).
 */
export class GitObjects {
  readonly #dir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #kept = new Map<string, Kept>();
  #size = 0;

  constructor(dir: string) {
    this.#dir = dir;
    this.#env = gitEnvironment(dir);
  }

  /** The folder that the repository was named by. */
  get place(): string {
    return this.#dir;
  }

  /** Text of a file; null when it is binary or too large. */
  text(id: string): string | null {
    const known = this.#get(id);
    if (known?.kind === 'text') return known.text;
    const { kind, bytes } = this.#read(id);
    if (kind !== 'blob') throw this.#damaged(id, `a ${kind} where a file is expected`);
    const text = bytes === null ? null : fileText(Buffer.from(bytes.buffer));
    this.#keep(id, { kind: 'text', text, size: 200 + (text?.length ?? 0) });
    return text;
  }

  /** What a folder holds. */
  entries(id: string): ReadonlyMap<string, TreeEntry> {
    const known = this.#get(id);
    if (known?.kind === 'entries') return known.entries;
    const { kind, bytes } = this.#read(id);
    if (kind !== 'tree' || bytes === null) throw this.#damaged(id, `a ${kind} where a folder is expected`);
    const entries = parseEntries(Buffer.from(bytes.buffer), id.length / 2);
    this.#keep(id, { kind: 'entries', entries, size: 200 + 8 * bytes.length });
    return entries;
  }

  commit(id: string): GitCommit {
    return this.commits([id])[0] ?? bug('one id, one commit');
  }

  /** Commits in the order asked for. */
  commits(ids: readonly string[]): GitCommit[] {
    return this.#readAll(ids).map(({ kind, bytes }, index) => {
      if (kind !== 'commit' || bytes === null)
        throw this.#damaged(ids[index] ?? '', `a ${kind} where a commit is expected`);
      return parseCommit(Buffer.from(bytes.buffer));
    });
  }

  #get(id: string): Kept | undefined {
    const known = this.#kept.get(id);
    if (known === undefined) return undefined;
    this.#kept.delete(id);
    this.#kept.set(id, known);
    return known;
  }

  /** Keeps what was read, and forgets what was not asked for the longest. */
  #keep(id: string, value: Kept): void {
    this.#kept.set(id, value);
    this.#size += value.size;
    for (const [oldest, { size }] of this.#kept) {
      if (this.#size <= mostKept) break;
      this.#kept.delete(oldest);
      this.#size -= size;
    }
  }

  #read(id: string): RawObject {
    return this.#readAll([id])[0] ?? bug('one id, one object');
  }

  #readAll(ids: readonly string[]): RawObject[] {
    const objects: RawObject[] = [];
    for (let at = 0; at < ids.length; at += mostAtOnce) {
      const some = ids.slice(at, at + mostAtOnce);
      const { objects: found, failure } = askReader({
        dir: this.#dir,
        env: this.#env,
        ids: some,
        most: maxFileBytes,
      });
      if (found.length !== some.length) throw new SourceError('git', `${this.#dir}: ${String(failure)}`);
      objects.push(...found);
    }
    return objects;
  }

  #damaged(id: string, what: string): SourceError {
    const reason = what.startsWith('a missing')
      ? `object ${id} is not in the repository (nothing is fetched from elsewhere)`
      : `object ${id} is ${what}`;
    return new SourceError('git', `${this.#dir}: ${reason}`);
  }
}

type Kept =
  | { readonly kind: 'text'; readonly text: string | null; readonly size: number }
  | { readonly kind: 'entries'; readonly entries: ReadonlyMap<string, TreeEntry>; readonly size: number };

interface RawObject {
  readonly id: string;
  readonly kind: string;
  /** Null when it is larger than what is read. */
  readonly bytes: Uint8Array<ArrayBuffer> | null;
}

interface Request {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly ids: readonly string[];
  readonly most: number;
}

interface Answer {
  readonly objects: readonly RawObject[];
  readonly failure: string | null;
}

interface Reader {
  readonly port: MessagePort;
  readonly signal: Int32Array<SharedArrayBuffer>;
}

/** One thread serves all repositories; it does not keep the program from ending. */
let reader: Reader | null = null;

function askReader(request: Request): Answer {
  reader ??= startReader();
  const { port, signal } = reader;
  const before = Atomics.load(signal, 0);
  port.postMessage(request);
  // What wakes it may be the notice of the answer before this one, which was read without waiting for the notice.
  while (Atomics.load(signal, 0) === before) {
    if (Atomics.wait(signal, 0, before, mostMilliseconds) !== 'timed-out') continue;
    reader = null;
    throw new SourceError('git', `${request.dir}: git cat-file does not answer`);
  }
  const received: { readonly message: Answer } | undefined = receiveMessageOnPort(port);
  return received?.message ?? bug('the thread posts its answer before it signals');
}

function startReader(): Reader {
  const { port1, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('../source/git-objects-worker.js', import.meta.url), {
    workerData: { signal, port: port2 },
    transferList: [port2],
  });
  worker.unref();
  port1.unref();
  return { port: port1, signal };
}

/** `mode name NUL id`, over and over; ids are bytes. */
function parseEntries(bytes: Buffer, idBytes: number): ReadonlyMap<string, TreeEntry> {
  const entries = new Map<string, TreeEntry>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const end = bytes.indexOf(0, space);
    if (space < 0 || end < 0) break;
    const mode = bytes.toString('latin1', at, space);
    at = end + 1 + idBytes;
    entries.set(bytes.toString('utf8', space + 1, end), {
      kind: entryKind(mode),
      id: bytes.toString('hex', end + 1, at),
    });
  }
  return entries;
}

/** What a mode of git says. */
export function entryKind(mode: string): TreeEntry['kind'] {
  if (mode === '40000') return 'folder';
  if (mode === '120000') return 'link';
  return mode === '160000' ? 'submodule' : 'file';
}

function parseCommit(bytes: Buffer): GitCommit {
  const end = bytes.indexOf('\n\n');
  const head = bytes.toString('utf8', 0, end < 0 ? bytes.length : end).split('\n');
  const values = (name: string): string[] =>
    head.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const [, author = '', seconds] = /^(.*) (\d{1,12}) [+-]\d{4}$/.exec(values('author')[0] ?? '') ?? [];
  return {
    tree: values('tree')[0] ?? '',
    parents: values('parent'),
    author,
    date: seconds === undefined ? null : new Date(Number(seconds) * 1000).toUTCString(),
    message: end < 0 ? '' : decodeMessage(bytes.subarray(end + 2), values('encoding')[0] ?? 'utf-8'),
  };
}

function decodeMessage(bytes: Buffer, encoding: string): string {
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    // An encoding that nobody knows.
    return bytes.toString('utf8');
  }
}

function bug(reason: string): never {
  throw new Error(reason);
}
