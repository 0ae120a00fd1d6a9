/**
 * Turns `src` into `dist`, in few files: loading some two hundred small ones takes Node longer than a review of one
 * function may. Programs, and what scripts, benches and tests load, keep their place, `dist/FOLDER/NAME.js`; all else goes
 * into `dist/chunks`. A file is therefore always found from the folder above: `new URL('../FOLDER/NAME', import.meta.url)`
 * holds in `src` and here.
 *
 * `tsc -p tsconfig.build.json` gives a `dist` of one file a source that runs as well, only slower.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const ENTRIES = [
  'bot/review-child',
  'c/index-file',
  'cli/main',
  'cli/manual-files',
  'cli/review-parts',
  'cli/review-worker',
  'cli/run-command',
  'machine/run-scenario',
  'machine/scenario',
  'rules/build',
  'rules/load-rules',
  'source/git-objects-worker',
];

/**
 * Chunks of what is always loaded together: modules, with all that they import at once, as far as it is in no chunk
 * before. The first keeps the others apart: commands are known without `check`, which itself waits for the compiler of
 * rules where there are no compiled ones.
 */
const CHUNKS = {
  common: ['cli/choose-renderer', 'cli/read-jobs', 'event/expression', 'event/value', 'rules/holds'],
  check: ['cli/check'],
  text: ['report/render-text'],
  engine: ['review/review-series'],
};

/** Packages that each `check` loads go in too, and so need not be installed; all others stay where npm puts them. */
const BUNDLED = ['commander', 'picocolors', 'postal-mime'];

/** Writes what the licences of those packages ask for. */
const licences = {
  name: 'licences',
  generateBundle() {
    const texts = BUNDLED.map((name) => {
      const folder = `node_modules/${name}`;
      const file = readdirSync(folder).find((entry) => entry.startsWith('LICENSE'));
      return `This program contains ${name}:\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`;
    });
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: texts.join('\n') });
  },
};

export default defineConfig({
  input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}`])),
  platform: 'node',
  external: new RegExp(`^(?!(?:${BUNDLED.join('|')})$)[^./#]`),
  plugins: [licences],
  resolve: { conditionNames: ['shootdown-source', 'node', 'import', 'default'], extensions: ['.ts', '.js'] },
  output: {
    dir: 'dist',
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
