import { type Logger, pino } from 'pino';

/** Structured lines on standard output. Whatever looks like a secret is taken out wherever it stands. */
export function createLog(level: string): Logger {
  const names = ['authorization', 'token', 'privateKey', 'webhookSecret', 'secret', 'password'];
  return pino({
    level,
    base: { name: 'shootdown' },
    redact: {
      paths: names.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]),
      censor: '[removed]',
    },
    serializers: {
      // An error of the client carries its request; what it says and where it came from is enough.
      err: (error: unknown) =>
        error instanceof Error
          ? { type: error.name, message: error.message, stack: error.stack }
          : { message: String(error) },
    },
  });
}
