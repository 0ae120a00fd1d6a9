/** Corpus specs → patch files, by the corpus' own script. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Every spec of the corpus, in file and then list order. */
export function readSpecs(corpus) {
  const folder = path.join(corpus, 'specs');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
}

/** Writes `<id>.patch` and `<id>.fix.patch` to `out`; returns the specs that gave none, with the script's reason. */
export function makePatches(corpus, trees, out, specs) {
  const list = path.join(out, 'specs.json');
  writeFileSync(list, JSON.stringify(specs));
  const run = spawnSync('python3', [path.join(corpus, 'mutate.py'), trees, out, list], { encoding: 'utf8' });
  if (run.error) throw run.error;
  const reasons = new Map(run.stderr.split('\n').map((line) => [line.split(':', 1)[0], line]));
  return new Map(
    specs
      .filter((spec) => !existsSync(path.join(out, `${spec.id}.fix.patch`)))
      .map((spec) => [spec.id, reasons.get(spec.id) ?? run.stderr.trim()]),
  );
}
