/**
 * The table of docs/architecture.md as an allow-list: each folder of src may import only what its row names.
 * test/boundaries.test.ts checks that every folder has a row.
 */

/**
 * Folder → what it may import from other folders: a folder's name, or one file of it. `instead` says what to do
 * when an import is refused.
 */
const ROWS = {
  event: {
    imports: [],
    instead: 'event/ is the vocabulary; put what needs more into the stage that needs it',
  },
  patch: {
    imports: [],
    instead: 'patch/ turns text into data; reading files and trees is the work of source/',
  },
  source: { imports: ['patch'], instead: 'source/ gives file texts; what they mean is for c/ and review/' },
  c: {
    imports: [],
    instead: 'c/ knows C and no page tables; knowledge of the kernel goes into rules or extract/',
  },
  rules: {
    imports: ['event'],
    instead: 'rules/ validates data; what uses the data imports rules/, not the reverse',
  },
  extract: {
    imports: ['event', 'c', 'rules'],
    instead: 'extract/ gives event programs; running them is for review/',
  },
  machine: {
    // machine/ implements the model that explore/ searches, replays a run to show it, and runs scenarios alone.
    imports: ['event', 'rules', 'explore/model', 'explore/search'],
    instead: 'machine/ gets event programs; pass what it needs as data',
  },
  explore: { imports: [], instead: 'explore/ searches any model; put page tables and TLBs into the model' },
  review: {
    imports: ['event', 'patch', 'source', 'c', 'rules', 'extract', 'machine', 'explore'],
    instead: 'review/ gives a ReviewDocument; formats and front doors come after it',
  },
  report: {
    imports: ['review/document'],
    instead: 'report/ renders the ReviewDocument alone; add to the document what a format needs',
  },
  cli: {
    imports: [
      'review',
      'report',
      'source',
      // A front door also loads what it hands to the review: the rules and the parsed patches.
      'rules/load-rules',
      'rules/rule',
      'patch/parse-patches',
      'patch/series',
      // Data types and texts that `machines` and `rules` show.
      'event/machine-facts',
      'event/expression',
      'event/value',
      // The app and the action are started from the command line.
      'bot/run-bot',
      'bot/run-action',
    ],
    // Scenarios run on the machine without a review.
    files: { simulate: ['event', 'rules', 'machine', 'explore'] },
    instead: 'cli/ reads options and writes results; let review/ do the work',
  },
  bot: {
    imports: [
      'review',
      'report',
      'source',
      // What any front door needs: rules, the data of a patch, positions in YAML, when a review fails, its limits.
      'rules/load-rules',
      'rules/rule',
      'rules/rule-error',
      'rules/parse-yaml',
      'patch/series',
      'cli/fails',
      'cli/review-limits',
      'cli/usage-error',
    ],
    instead: 'bot/ talks to GitHub and posts; let review/ do the work',
  },
};

const allowed = [
  // Inside a folder, and to packages and Node itself, which the other rules deal with.
  { from: { path: '^src/([^/]+)/' }, to: { path: '^src/$1/' } },
  { from: {}, to: { pathNot: '^src/' } },
  ...Object.entries(ROWS).flatMap(([folder, row]) => [
    ...row.imports.map((to) => edge(`^src/${folder}/`, to)),
    ...Object.entries(row.files ?? {}).flatMap(([file, imports]) =>
      imports.map((to) => edge(`^src/${folder}/${file}\\.ts$`, to)),
    ),
  ]),
];

function edge(from, to) {
  return { from: { path: from }, to: { path: to.includes('/') ? `^src/${to}\\.ts$` : `^src/${to}/` } };
}

/** Built-in modules that reach the outside: only adapters, the rules' loader and the front doors may use them. */
const OUTSIDE = '^(node:)?(fs|fs/promises|child_process|net|http|https|os|process|worker_threads)$';
const MAY_USE_OUTSIDE = '^src/(source|cli|bot)/|^src/rules/(build|load-rules|read-[a-z-]+)\\.ts$';

const forbidden = [
  // One rule a row repeats the allow-list with its advice, since an allow-list can give none of its own.
  ...Object.entries(ROWS).map(([folder, row]) => {
    const own = Object.keys(row.files ?? {}).map((file) => `^src/${folder}/${file}\\.ts$`);
    const targets = [folder, ...row.imports].map((to) =>
      to.includes('/') ? `^src/${to}\\.ts$` : `^src/${to}/`,
    );
    return {
      name: `${folder}-row`,
      severity: 'error',
      comment: row.instead,
      from: { path: `^src/${folder}/`, ...(own.length === 0 ? {} : { pathNot: own }) },
      to: { path: '^src/', pathNot: targets },
    };
  }),
  {
    name: 'folder-without-row',
    severity: 'error',
    comment: 'a new folder of src needs a row in .dependency-cruiser.mjs and in docs/architecture.md',
    from: { path: '^src/[^/]+/', pathNot: Object.keys(ROWS).map((folder) => `^src/${folder}/`) },
    to: {},
  },
  {
    name: 'into-folder-without-row',
    severity: 'error',
    comment: 'a new folder of src needs a row in .dependency-cruiser.mjs and in docs/architecture.md',
    from: {},
    to: { path: '^src/[^/]+/', pathNot: Object.keys(ROWS).map((folder) => `^src/${folder}/`) },
  },
  {
    name: 'no-cycles',
    severity: 'error',
    comment: 'move what both need into a file of its own, or pass it as a parameter',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'no-orphans',
    severity: 'error',
    comment: 'remove the file, or import it where it is needed',
    from: {
      orphan: true,
      pathNot: ['^src/cli/main\\.ts$', '^src/rules/build\\.ts$', '^src/bot/review-child\\.ts$'],
    },
    to: {},
  },
  {
    name: 'resolvable',
    severity: 'error',
    comment: 'write #folder/file.js across folders and ./file.js inside one',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'tree-sitter-only-in-c',
    severity: 'error',
    comment: 'c/ is the only user of the parser; use what c/ hands on',
    from: { pathNot: '^src/c/' },
    to: { path: 'node_modules/tree-sitter' },
  },
  {
    name: 'outside-world',
    severity: 'error',
    comment: 'stages are pure: let source/, the loader of the rules or a front door read, and pass the data',
    from: { path: '^src/', pathNot: MAY_USE_OUTSIDE },
    to: { dependencyTypes: ['core'], path: OUTSIDE },
  },
];

/** For the test: folders that have a row. */
export const rows = Object.keys(ROWS);

export default {
  allowed,
  allowedSeverity: 'error',
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['shootdown-source', 'import', 'node', 'types', 'default'],
    },
  },
};
