/**
 * What went wrong, as the one line that stderr gets. Expected failures (usage, input, source, rules) carry their
 * own text; system errors are put into words; anything else is a bug in shootdown and says so.
 */
const EXPECTED: ReadonlySet<string> = new Set([
  'UsageError',
  'PatchError',
  'SourceError',
  'RuleError',
  'RulesError',
  'ScenarioError',
  'DocumentError',
]);

/** One line without line breaks, without the program's name. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(`internal error: ${String(error)}`);
  if (EXPECTED.has(error.name)) return oneLine(error.message);
  if (error.name === 'CommanderError') return oneLine(error.message.replace(/^error: /, ''));
  const system = systemFailure(error);
  return oneLine(system ?? `internal error, please report: ${error.message}`);
}

function systemFailure(error: NodeJS.ErrnoException): string | null {
  const path = error.path ?? 'input';
  switch (error.code) {
    case 'ENOENT':
      return `${path}: no such file or directory`;
    case 'EISDIR':
      return `${path}: is a directory`;
    case 'ENOTDIR':
      return `${path}: a part of the path is not a directory`;
    case 'EACCES':
    case 'EPERM':
      return `${path}: permission denied`;
    case 'ENOSPC':
      return `${error.path ?? 'output'}: no space left`;
    default:
      return error.syscall === undefined ? null : error.message;
  }
}

function oneLine(text: string): string {
  const plain = [...text].map((c) => (c < ' ' || c === '\u007f' ? ' ' : c)).join('');
  return plain.replace(/ {2,}/g, ' ').trim();
}
