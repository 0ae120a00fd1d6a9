/**
 * Packs the package, installs the tarball in an empty folder and uses it there, as somebody does who has never seen
 * this repository. Prints the sizes, and fails where they grow past what the documentation says.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Megabytes. Raise them knowingly, with docs/install.md. */
const MOST_PACKED = 0.8;
const MOST_INSTALLED = 110;

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'shootdown-pack-'));
const env = {
  ...process.env,
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
};
const npm = (cwd, ...args) =>
  execFileSync('npm', args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] }).toString();

try {
  const [packed] = JSON.parse(npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder));
  const paths = packed.files.map((file) => file.path);
  for (const wanted of [
    'dist/cli/main.js',
    'dist/licences.txt',
    'dist/manual/shootdown.1',
    'README.md',
    'LICENSE',
    'package.json',
  ])
    check(paths.includes(wanted), `${wanted} is in the package`);
  const stray = paths.filter((path) => /^(?:src|test|docs|bench|scripts)\/|\.map$|tsbuildinfo/.test(path));
  check(stray.length === 0, 'nothing that users do not need is in it', stray.join(' '));

  const empty = join(folder, 'empty');
  mkdirSync(empty);
  npm(empty, 'init', '-y');
  npm(empty, 'install', '--omit=dev', join(folder, packed.filename));
  const shootdown = (cwd, ...args) =>
    spawnSync('npx', ['--no-install', 'shootdown', ...args], { cwd, env, encoding: 'utf8' });

  const version = shootdown(empty, '--version');
  check(version.status === 0 && version.stdout.trim() === packed.version, 'it says its version');
  const patch = join(empty, 'khugepaged.patch');
  cpSync(join(root, 'fixtures/patches/khugepaged-no-sync.wrong.patch'), patch);
  const tree = join(folder, 'tree');
  cpSync(join(root, 'fixtures/kernel'), tree, { recursive: true });
  const review = shootdown(empty, 'check', '--tree', tree, '--format', 'json', patch);
  check(review.status === 1, 'a wrong patch gives exit code 1', `${review.status}: ${review.stderr}`);
  const finding = JSON.parse(review.stdout).patches[0].findings[0];
  check(finding.hazard === 'flush-without-ipi', 'its finding is the right one');
  const alone = shootdown(empty, 'check', patch);
  check(alone.status !== 2, 'without a tree the hunks are reviewed');
  for (const format of ['text', 'sarif', 'markdown', 'html', 'mail'])
    check(
      shootdown(empty, 'check', '--tree', tree, '--format', format, patch).stdout.length > 500,
      `${format} is written`,
    );
  check(
    shootdown(empty, 'explain', 'flush-without-ipi').stdout.includes('Right order'),
    'hazards are explained',
  );

  const git = (...args) =>
    spawnSync('git', ['-C', tree, '-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args], {
      encoding: 'utf8',
    });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'kernel');
  check(shootdown(empty, 'hook', 'install', '--tree', tree).status === 0, 'the hook is installed');
  const source = join(tree, 'mm/khugepaged.c');
  writeFileSync(source, readFileSync(source, 'utf8').replace('\ttlb_remove_table_sync_one();\n', ''));
  const commit = git('commit', '-q', '-a', '-m', 'wrong');
  check(commit.status === 1, 'the hook stops a wrong commit', `${commit.status}: ${commit.stderr}`);
  check(commit.stderr.includes('--no-verify'), 'and says how to go on');

  const megabytes = (bytes) => bytes / 1024 / 1024;
  const own = megabytes(size(join(empty, 'node_modules/shootdown')));
  const all = megabytes(size(join(empty, 'node_modules')));
  const tarball = megabytes(statSync(join(folder, packed.filename)).size);
  const packages = readdirSync(join(empty, 'node_modules')).length;
  console.log(
    `packed ${tarball.toFixed(2)} MB in ${paths.length} files; installed ${own.toFixed(2)} MB, with dependencies ${all.toFixed(1)} MB (${packages} names in node_modules)`,
  );
  const largest = readdirSync(join(empty, 'node_modules'))
    .map((name) => [name, megabytes(size(join(empty, 'node_modules', name)))])
    .sort(([, a], [, b]) => b - a)
    .slice(0, 8);
  console.log(largest.map(([name, mb]) => `  ${name} ${mb.toFixed(1)} MB`).join('\n'));
  check(tarball <= MOST_PACKED, `the tarball stays below ${MOST_PACKED} MB`);
  check(all <= MOST_INSTALLED, `the installed tree stays below ${MOST_INSTALLED} MB`);
  console.log('PACK OK');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** `seen` is said where the check fails. */
function check(holds, what, seen = '') {
  if (!holds) throw new Error(`not so: ${what}. ${seen}`);
  console.log(`ok: ${what}`);
}

function size(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0);
}
