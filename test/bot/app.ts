/** Starts the app as users do, as a process of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FakeGitHub, KEY, SECRET } from './fake-github.js';

const ROOT = join(import.meta.dirname, '../..');
export const MAIN = join(ROOT, 'dist/cli/main.js');

/** The app runs from `dist`: built anew when a source is newer. */
export function ensureBuilt(): void {
  const newest = (folder: string): number =>
    Math.max(
      ...readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
    );
  let built = 0;
  try {
    built = statSync(MAIN).mtimeMs;
    statSync(join(ROOT, 'dist/rules/compiled.jsonl'));
  } catch {}
  if (newest(join(ROOT, 'src')) <= built) return;
  // Nothing is taken away: other tests may run what is there.
  for (const program of [['node_modules/rolldown/bin/cli.mjs', '-c'], ['dist/rules/build.js']])
    execFileSync(process.execPath, program, { cwd: ROOT, stdio: 'ignore' });
}

export interface App {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it wrote, line by line. */
  readonly output: readonly string[];
  /** Asks it to stop and gives its exit code. */
  stop(): Promise<number | null>;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

export async function startApp(
  github: FakeGitHub,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = ['bot'],
): Promise<App> {
  const clones = mkdtempSync(join(tmpdir(), 'shootdown-clones-'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      APP_ID: '1',
      PRIVATE_KEY: KEY,
      WEBHOOK_SECRET: SECRET,
      GITHUB_API_URL: github.url,
      PORT: '0',
      LOG_LEVEL: 'info',
      SHOOTDOWN_WRITE_INTERVAL_MS: '0',
      SHOOTDOWN_SWEEP_MINUTES: '60',
      SHOOTDOWN_GRACE_SECONDS: '20',
      SHOOTDOWN_CLONES: clones,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  const ended = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => {
      rmSync(clones, { recursive: true, force: true });
      resolve(code);
    }),
  );
  const url = await new Promise<string>((resolve, reject) => {
    const onText = (text: string): void => {
      for (const line of text.split('\n').filter((l) => l !== '')) {
        output.push(line);
        const port = /"port":(\d+).*"listening"/.exec(line)?.[1];
        if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
      }
    };
    child.stdout.setEncoding('utf8').on('data', onText);
    child.stderr.setEncoding('utf8').on('data', onText);
    child.once('exit', (code) => reject(new Error(`the app ended with ${code}: ${output.join('\n')}`)));
  });
  github.appUrl = url;
  return {
    url,
    child,
    output,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Waits until a condition holds; throws what `describe` says when it does not in time. */
export async function until(
  holds: () => boolean,
  describe: () => string = () => 'it did not happen',
  milliseconds = 60_000,
): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!holds()) {
    if (Date.now() > end) throw new Error(describe());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
