/** Corpus specs → patch files. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EditError, writePatches } from './mutate.mjs';

/** Every spec of the corpus (its `specs` folder, where there is one), in file and then list order. */
export function readSpecs(corpus) {
  const inner = path.join(corpus, 'specs');
  const folder = existsSync(inner) ? inner : corpus;
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
}

/** Writes `<id>.patch` and `<id>.fix.patch` to `out`; returns the specs that gave none, with the reason. */
export function makePatches(trees, out, specs) {
  const unmade = new Map();
  for (const spec of specs) {
    try {
      writePatches(spec, path.join(trees, `linux-source-${spec.tree}`), out);
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      unmade.set(spec.id, error.message);
    }
  }
  return unmade;
}
