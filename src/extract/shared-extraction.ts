/** Extraction that is shared by machines on which it asks the same and is answered the same (DESIGN.md rule 9). */
import type { RuleSet } from '#rules/rule.js';
import { extractProgram } from './extract-program.js';
import type { ExtractOptions } from './extraction.js';
import type { Asked, Found, Resolver } from './resolve.js';

interface Known {
  readonly options: string;
  readonly asked: readonly Asked[];
  readonly result: ReturnType<typeof extractProgram>;
}

/** Roots that are remembered: more than one file has; a scan of many files does not keep them all. */
const ROOTS = 512;

/** What was extracted in one session, by the root's definition: that object belongs to one text of one file. */
export class SharedExtraction {
  private readonly known = new Map<object, Known[]>();

  /** As `extractProgram`. */
  extract(
    root: Found,
    resolver: Resolver,
    rules: RuleSet,
    options: ExtractOptions,
  ): ReturnType<typeof extractProgram> {
    const text = JSON.stringify([
      [...options.bodies].sort(),
      options.outermost,
      options.nodeLimit,
      options.depthLimit,
    ]);
    const known = this.known.get(root.definition) ?? [];
    for (const entry of known)
      if (entry.options === text && resolver.answersAlike(entry.asked)) return entry.result;
    const { result, asked } = resolver.watch(() => extractProgram(root, resolver, rules, options));
    if (this.known.size >= ROOTS) this.known.clear();
    this.known.set(root.definition, [...known, { options: text, asked, result }]);
    return result;
  }
}
