/** Bounds on input. Mail is hostile input: a bound is an error with one clear line, never a slow machine. */
export const limits = {
  inputBytes: 32 * 1024 * 1024,
  /** Of all mails together: text of short lines costs far more than its bytes. */
  lines: 2_000_000,
  mails: 5_000,
  /** Lines of one mail's headers; those beyond are not read. */
  headerLines: 10_000,
  files: 5_000,
  hunks: 20_000,
} as const;

/** What is left of the bounds that hold for a whole input, counted down while its mails are parsed. */
export interface Budget {
  files: number;
  hunks: number;
}
