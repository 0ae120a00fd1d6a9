/** The app's settings, read once from the environment. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '#cli/usage-error.js';

export interface Settings {
  readonly appId: number;
  readonly privateKey: string;
  readonly webhookSecret: string;
  readonly apiUrl: string;
  readonly host: string;
  readonly port: number;
  /** Null: the queue is in this process. */
  readonly redisUrl: string | null;
  readonly logLevel: (typeof LEVELS)[number];
  /** Reviews at a time in this process. */
  readonly concurrency: number;
  readonly reviewSeconds: number;
  readonly reviewMegabytes: number;
  readonly writeInterval: number;
  readonly longestWait: number;
  readonly sweepMinutes: number;
  readonly graceSeconds: number;
  readonly lockSeconds: number;
  readonly cacheMegabytes: number;
  readonly retrySeconds: number;
  readonly clones: string;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

const number = (least: number, normal: number) => z.coerce.number().min(least).default(normal);
const shape = z.object({
  APP_ID: z.coerce.number().int().positive(),
  PRIVATE_KEY: z.string().min(1).optional(),
  PRIVATE_KEY_PATH: z.string().min(1).optional(),
  WEBHOOK_SECRET: z.string().min(1),
  GITHUB_API_URL: z.url().default('https://api.github.com'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000),
  REDIS_URL: z.url().optional(),
  LOG_LEVEL: z.enum(LEVELS).default('info'),
  SHOOTDOWN_CONCURRENCY: z.coerce.number().int().min(1).default(1),
  SHOOTDOWN_REVIEW_SECONDS: number(1, 900),
  SHOOTDOWN_REVIEW_MEGABYTES: number(64, 2048),
  SHOOTDOWN_WRITE_INTERVAL_MS: number(0, 1000),
  SHOOTDOWN_LONGEST_WAIT_SECONDS: number(0, 90),
  SHOOTDOWN_SWEEP_MINUTES: number(0.01, 30),
  SHOOTDOWN_GRACE_SECONDS: number(0, 25),
  SHOOTDOWN_LOCK_SECONDS: number(1, 30),
  SHOOTDOWN_CACHE_MEGABYTES: number(1, 256),
  SHOOTDOWN_RETRY_SECONDS: number(0, 5),
  SHOOTDOWN_CLONES: z.string().min(1).optional(),
});

/** Throws UsageError that names the variable, never its value. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  // A variable that is set to nothing is not set.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const read = shape.safeParse(given);
  if (!read.success) {
    const issue = read.error.issues[0];
    const name = String(issue?.path[0] ?? '');
    const why = given[name] === undefined ? 'is not set' : `is not valid: ${issue?.message ?? ''}`;
    throw new UsageError(`the environment variable ${name} ${why}; docs/github-app.md lists them`);
  }
  const s = read.data;
  return {
    appId: s.APP_ID,
    privateKey: readKey(s.PRIVATE_KEY, s.PRIVATE_KEY_PATH),
    webhookSecret: s.WEBHOOK_SECRET,
    apiUrl: s.GITHUB_API_URL.replace(/\/+$/, ''),
    host: s.HOST,
    port: s.PORT,
    redisUrl: s.REDIS_URL ?? null,
    logLevel: s.LOG_LEVEL,
    concurrency: s.SHOOTDOWN_CONCURRENCY,
    reviewSeconds: s.SHOOTDOWN_REVIEW_SECONDS,
    reviewMegabytes: s.SHOOTDOWN_REVIEW_MEGABYTES,
    writeInterval: s.SHOOTDOWN_WRITE_INTERVAL_MS,
    longestWait: s.SHOOTDOWN_LONGEST_WAIT_SECONDS * 1000,
    sweepMinutes: s.SHOOTDOWN_SWEEP_MINUTES,
    graceSeconds: s.SHOOTDOWN_GRACE_SECONDS,
    lockSeconds: s.SHOOTDOWN_LOCK_SECONDS,
    cacheMegabytes: s.SHOOTDOWN_CACHE_MEGABYTES,
    retrySeconds: s.SHOOTDOWN_RETRY_SECONDS,
    clones: s.SHOOTDOWN_CLONES ?? join(tmpdir(), `shootdown-clones-${process.getuid?.() ?? 0}`),
  };
}

/** The key itself, with line breaks as such or written `\n`, or in base64; or a file that holds it. */
function readKey(text: string | undefined, path: string | undefined): string {
  let key = text?.replaceAll('\\n', '\n') ?? null;
  if (key === null && path !== undefined) {
    try {
      key = readFileSync(path, 'utf8');
    } catch {
      throw new UsageError('PRIVATE_KEY_PATH names no file that can be read');
    }
  }
  if (key === null)
    throw new UsageError('the environment variable PRIVATE_KEY (or PRIVATE_KEY_PATH) is not set');
  if (!key.includes('-----BEGIN')) key = Buffer.from(key, 'base64').toString('utf8');
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key))
    throw new UsageError('PRIVATE_KEY holds no private key in PEM');
  return key;
}
