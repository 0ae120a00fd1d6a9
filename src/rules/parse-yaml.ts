/** YAML text with places: every error names file, line and column. */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { RuleError, type RuleErrorCode } from './rule-error.js';

export type Path = readonly (string | number)[];

/** A parsed file that can say where a path of it stands. */
export class Source {
  private readonly lines = new LineCounter();
  private readonly document;

  /** Throws RuleError `syntax`. `firstLine` is where the text starts in the file. */
  constructor(
    readonly file: string,
    text: string,
    private readonly firstLine = 1,
  ) {
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, uniqueKeys: true });
    const error = this.document.errors[0] ?? this.document.warnings[0];
    if (error !== undefined) {
      const { line, col } = this.lines.linePos(error.pos[0]);
      throw new RuleError('syntax', error.message, file, line + firstLine - 1, col);
    }
  }

  get data(): unknown {
    return this.document.toJS();
  }

  /** 1-based place of the node at `path`, or of the nearest node above it that exists. */
  place(path: Path): { readonly line: number; readonly column: number } {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = this.document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) {
        const { line, col } = this.lines.linePos(node.range[0]);
        return { line: line + this.firstLine - 1, column: col };
      }
    }
    return { line: this.firstLine, column: 1 };
  }

  /** An error about the key at the end of `path`, not about its value. */
  private keyError(code: RuleErrorCode, reason: string, path: Path): RuleError {
    const map = this.document.getIn(path.slice(0, -1), true);
    const key = isMap(map)
      ? map.items.find((pair) => isScalar(pair.key) && pair.key.value === path.at(-1))?.key
      : null;
    if (!isNode(key) || !key.range) return this.error(code, reason, path);
    const { line, col } = this.lines.linePos(key.range[0]);
    return new RuleError(code, reason, this.file, line + this.firstLine - 1, col);
  }

  error(code: RuleErrorCode, reason: string, path: Path): RuleError {
    const { line, column } = this.place(path);
    return new RuleError(code, reason, this.file, line, column);
  }

  /** The file's data in the shape of `schema`. Throws RuleError at the first thing that does not fit. */
  as<T>(schema: z.ZodType<T>, data: unknown = this.data, at: Path = []): T {
    const result = schema.safeParse(data);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    if (issue === undefined) throw this.error('shape', 'does not have the shape of such a file', at);
    const path = [...at, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
    const inEvents = path.includes('events') || path.includes('program');
    if (issue.code === 'unrecognized_keys') {
      const key = issue.keys[0] ?? '';
      const isStep = inEvents && typeof path.at(-1) === 'number';
      throw this.keyError(
        isStep ? 'unknown-event' : 'shape',
        `unknown ${isStep ? 'event' : 'key'} \`${key}\``,
        [...path, key],
      );
    }
    throw this.error('shape', `${path.join('.')}: ${issue.message}`, path);
  }
}
