/** Extraction that is shared by machines on which it asks the same and is answered the same (DESIGN.md rule 9). */
import type { RuleSet } from '#rules/rule.js';
import { extractProgram } from './extract-program.js';
import { extractTogether } from './extract-together.js';
import type { Extraction, ExtractOptions } from './extraction.js';
import type { Asked, Found, Resolver } from './resolve.js';

interface Known {
  readonly options: string;
  readonly asked: readonly Asked[];
  readonly result: Extracted;
}

/** A program for each root, or why one could not be read. */
type Extracted = readonly Extraction[] | { readonly reason: string; readonly line: number };

/** Roots that are remembered: more than one file has; a scan of many files does not keep them all. */
const ROOTS = 512;

/** What was extracted in one session, by the root's definition: that object belongs to one text of one file. */
export class SharedExtraction {
  private readonly known = new Map<object, Known[]>();

  /** Forgets everything: the programs, and the texts that they were made from. */
  forget(): void {
    this.known.clear();
  }

  /**
   * One program for each root. With `setup` the roots share memory and it runs first (`extractTogether`); without, each
   * is a program of its own (`extractProgram`).
   */
  extract(
    roots: readonly Found[],
    setup: Found | null,
    resolver: Resolver,
    rules: RuleSet,
    options: ExtractOptions,
  ): Extracted {
    const root = roots[0];
    if (root === undefined) return [];
    const text = JSON.stringify([
      [...options.bodies].sort(),
      options.outermost,
      [...options.linked].map(String).sort(),
      options.nodeLimit,
      options.depthLimit,
      options.kindCallers === true,
    ]);
    const known = this.known.get(root.definition) ?? [];
    for (const entry of known)
      if (entry.options === text && resolver.answersAlike(entry.asked)) return entry.result;
    const { result, asked } = resolver.watch((): Extracted => {
      if (setup !== null) return extractTogether(roots, setup, resolver, rules, options);
      const single: Extraction[] = [];
      for (const one of roots) {
        const extraction = extractProgram(one, resolver, rules, options);
        if ('reason' in extraction) return extraction;
        single.push(extraction);
      }
      return single;
    });
    if (this.known.size >= ROOTS) this.known.clear();
    this.known.set(root.definition, [...known, { options: text, asked, result }]);
    return result;
  }
}
