/**
 * Turns `src` into `dist`, in few files: loading some two hundred small ones takes Node longer than a review of one
 * function may. Programs, and what scripts, benches and tests load, keep their place, `dist/FOLDER/NAME.js`; all else goes
 * into `dist/chunks`. A file is therefore always found from the folder above: `new URL('../FOLDER/NAME', import.meta.url)`
 * holds in `src` and here.
 *
 * `tsc -p tsconfig.build.json` gives a `dist` of one file a source that runs as well, only slower.
 */
import { defineConfig } from 'rolldown';

const ENTRIES = [
  'bot/review-child',
  'c/index-file',
  'cli/main',
  'cli/manual-files',
  'cli/review-parts',
  'cli/review-worker',
  'cli/run-command',
  'rules/build',
  'source/git-objects-worker',
];

/**
 * Chunks of what is always loaded together: modules, with all that they import at once, as far as it is in no chunk
 * before. `check` waits for the compiler of rules where there are no compiled ones, so what both need comes first.
 */
const CHUNKS = {
  vocabulary: ['event/expression', 'event/value', 'rules/holds'],
  check: ['cli/check'],
  text: ['report/render-text'],
  engine: ['review/review-series'],
};

export default defineConfig({
  input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}`])),
  platform: 'node',
  // Packages stay where npm puts them.
  external: /^[^./#]/,
  resolve: { conditionNames: ['shootdown-source', 'node', 'import', 'default'], extensions: ['.ts', '.js'] },
  output: {
    dir: 'dist',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    comments: false,
    codeSplitting: {
      groups: Object.entries(CHUNKS).map(([name, modules], index, { length }) => ({
        name,
        test: (id) => modules.some((module) => id.endsWith(`/src/${module}.ts`)),
        priority: length - index,
      })),
    },
  },
});
