import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const folders = readdirSync(join(root, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Runs the boundary check on a small source tree of its own; gives its output. */
function cruise(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'shootdown-boundaries-'));
  try {
    for (const name of ['.dependency-cruiser.mjs', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, name), join(folder, name));
    }
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const program = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    try {
      return execFileSync(process.execPath, [program, '--config', '.dependency-cruiser.mjs', 'src'], {
        cwd: folder,
        encoding: 'utf8',
      });
    } catch (error) {
      return String((error as { stdout?: unknown }).stdout);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('folder boundaries', () => {
  it('have a row for every folder of src, and an import name', async () => {
    const { rows } = (await import(join(root, '.dependency-cruiser.mjs'))) as { rows: readonly string[] };
    expect([...rows].sort()).toEqual([...folders].sort());
    const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: object };
    expect(Object.keys(imports).sort()).toEqual(folders.map((f) => `#${f}/*.js`).sort());
  });

  it('are in the table of docs/architecture.md', () => {
    const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    for (const folder of folders) expect(page).toContain(`| \`${folder}/\` |`);
  });

  it('are crossed on the way to a file at run time: the build puts code into other folders', () => {
    for (const folder of folders) {
      for (const name of readdirSync(join(root, 'src', folder))) {
        const text = readFileSync(join(root, 'src', folder, name), 'utf8');
        const places = [...text.matchAll(/new URL\(\s*'([^']*)',\s*import\.meta\.url/g)];
        for (const [, place] of places) expect(place, `src/${folder}/${name}`).toMatch(/^\.\./);
      }
    }
  });

  it('refuse a folder without a row', () => {
    const out = cruise({
      'src/extra/a.ts': "import { b } from './b.js';\nexport const a = b;\n",
      'src/extra/b.ts': 'export const b = 1;\n',
    });
    expect(out).toContain('folder-without-row: src/extra/a.ts');
  });

  it('refuse an import that the row does not name, and allow one that it does', () => {
    const out = cruise({
      'src/event/a.ts': 'export const a = 1;\n',
      'src/rules/a.ts': "import { a } from '#event/a.js';\nexport const b = a;\n",
      'src/event/b.ts': "import type { b } from '#rules/a.js';\nexport type B = typeof b;\n",
    });
    expect(out).toContain('event-row: src/event/b.ts');
    expect(out).not.toContain('rules-row');
  });

  it('refuse cycles, orphans and the outside world in a pure stage', () => {
    const out = cruise({
      'src/c/a.ts': "import { b } from './b.js';\nexport const a = () => b;\n",
      'src/c/b.ts': "import { a } from './a.js';\nexport const b = () => a;\n",
      'src/c/alone.ts': 'export const alone = 1;\n',
      'src/explore/a.ts': "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n",
    });
    expect(out).toContain('no-cycles: src/c/');
    expect(out).toContain('no-orphans: src/c/alone.ts');
    expect(out).toContain('outside-world: src/explore/a.ts');
  });
});
