/** What can be wrong in the files of the top-level rules/ folder. */
export type RuleErrorCode =
  | 'syntax'
  | 'shape'
  | 'unknown-event'
  | 'unknown-variable'
  | 'unknown-operator'
  | 'wrong-arguments'
  | 'unknown-client'
  | 'unknown-hazard'
  | 'duplicate'
  | 'never-matches';

/** A named error at a place of a rule file. `line` and `column` are 1-based. */
export class RuleError extends Error {
  constructor(
    readonly code: RuleErrorCode,
    readonly reason: string,
    readonly file: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(`${file}:${line}:${column}: ${code}: ${reason}`);
    this.name = 'RuleError';
  }
}
