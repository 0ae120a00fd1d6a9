import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { flatten, programTree } from '#cli/program-tree.js';
import { createProgram } from '#cli/run-command.js';
import { runScenarios } from '#cli/simulate.js';
import { readSuppressions } from '#review/suppressions.js';
import { compileRules } from '#rules/compile-rules.js';
import { loadRules } from '#rules/load-rules.js';
import { readTexts } from '#rules/read-texts.js';

const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter((f) => f.endsWith('.md'))
    .map((f) => `docs/${f}`),
];
const read = (page: string): string => readFileSync(page, 'utf8');
const samples = (page: string, language: string): readonly string[] =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (m) => m[1] ?? '',
  );
/** The anchor that GitHub gives a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^a-z0-9 _-]/g, '')
    .replaceAll(' ', '-');

describe.each(pages)('%s', (page) => {
  it('leads to files and headings that exist', () => {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)#\s]*(?:#[^)\s]*)?)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : join(dirname(page), file);
      expect(existsSync(path), `${target} in ${page}`).toBe(true);
      if (anchor === undefined) continue;
      const headings = [...read(path).matchAll(/^#+ (.*)$/gm)].map((m) => anchorOf(m[1] ?? ''));
      expect(headings, `${target} in ${page}`).toContain(anchor);
    }
  });
  it('names commands and options that exist', () => {
    const entries = flatten(programTree(createProgram(() => {})));
    const names = new Set(entries.map((entry) => entry.path[0]));
    const calls = [
      ...samples(page, '(?:sh|text)?').flatMap((text) => text.split('\n')),
      ...[...read(page).matchAll(/`([^`\n]+)`/g)].map((m) => m[1] ?? ''),
    ].flatMap((line) => [...line.matchAll(/(?:^|[|&] *|npx )shootdown ([a-z0-9-]+)([^|&#]*)/g)]);
    for (const [call, name = '', rest = ''] of calls) {
      // The app and what it brings have a page of their own.
      if (name === 'bot') continue;
      expect(names, call).toContain(name);
      const options = entries.filter((e) => e.path[0] === name).flatMap((e) => e.options.map((o) => o.long));
      for (const [option] of rest.matchAll(/--[a-z-]+/g))
        if (option !== '--dump') expect(options, call).toContain(option);
    }
  });
});

describe('samples', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'shootdown-docs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('the scenario gives the verdicts that it says', () => {
    const [text = ''] = samples('docs/scenarios.md', 'yaml');
    const runs = runScenarios([{ name: 'sample.yaml', text }], loadRules().machines);
    expect(runs.failed).toBe(0);
    expect(runs.text).toContain('4 runs, 0 not as expected');
  });
  it('the rule compiles', () => {
    const [sample = ''] = samples('docs/rules.md', 'yaml').filter((text) => text.includes('ptep_take_page'));
    const rules = compileRules(new Map([...readTexts(), ['events/sample.yaml', sample]]));
    expect(rules.calls.has('ptep_take_page')).toBe(true);
  });
  it('the suppressions are ones', () => {
    const [text = ''] = samples('docs/suppressions.md', 'yaml');
    expect(readSuppressions(text, 'sample.yml').map((s) => s.hazard)).toEqual(['flush-without-ipi']);
  });
  it('every fact of a machine has a row', () => {
    const facts = Object.keys(loadRules().machines[0]?.facts ?? {}).filter(
      (f) => !f.startsWith('consequence-'),
    );
    for (const fact of facts) expect(read('docs/machines.md'), fact).toContain(`\`${fact}\``);
  });
});

describe('.pre-commit-hooks.yaml', () => {
  it('has the keys that the framework asks for, and calls what exists', () => {
    const shape = z.array(
      z.strictObject({
        id: z.string(),
        name: z.string(),
        description: z.string(),
        entry: z.string(),
        language: z.literal('node'),
        types_or: z.array(z.string()),
        pass_filenames: z.literal(false),
        require_serial: z.literal(true),
        stages: z.array(z.enum(['pre-commit', 'pre-push'])),
        minimum_pre_commit_version: z.string().regex(/^\d+\.\d+\.\d+$/),
        verbose: z.boolean(),
      }),
    );
    const [hook] = shape.parse(parse(read('.pre-commit-hooks.yaml')));
    expect(hook?.entry).toBe('shootdown hook run pre-commit');
    const run = createProgram(() => {})
      .commands.find((c) => c.name() === 'hook')
      ?.commands.find((c) => c.name() === 'run');
    expect(run).toBeDefined();
  });
});
