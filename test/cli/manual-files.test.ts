import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { manualFiles } from '#cli/manual-files.js';
import { flatten, programTree } from '#cli/program-tree.js';
import { createProgram } from '#cli/run-command.js';

const program = createProgram(() => {});
const files = manualFiles(program, '1.2.3');
const text = (name: string): string => {
  const found = files.get(name);
  if (found === undefined) throw new Error(`no file ${name} is made`);
  return found;
};
const entries = flatten(programTree(program)).filter((entry) => entry.commands.length === 0);
const has = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

describe('in step with the definitions', () => {
  it('knows the commands that a user may call, and no others', () => {
    const paths = entries.map((entry) => entry.path.join(' '));
    expect(paths).toEqual(
      expect.arrayContaining(['check', 'scan', 'hook install', 'hook uninstall', 'render']),
    );
    expect(paths).not.toContain('hook run');
    expect(entries.flatMap((entry) => entry.options.map((o) => o.long))).not.toContain('--dump');
  });
  it.each(entries.map((entry) => [entry.path.join(' '), entry] as const))(
    '%s is everywhere',
    (path, entry) => {
      const page = text('shootdown.1');
      const section = page.slice(page.indexOf(`.SS "shootdown ${path.replaceAll('-', '\\-')}`));
      expect(section).not.toBe('');
      const own = section.slice(0, section.indexOf('\n.S', 1));
      for (const option of entry.options.filter((o) => o.long !== '--help')) {
        expect(own, option.long).toContain(`\\fB${option.long.replaceAll('-', '\\-')}\\fR`);
        expect(text('shootdown.bash')).toMatch(new RegExp(`^    '${path}'\\).*${option.long}\\b`, 'm'));
        expect(text('_shootdown')).toContain(`${option.long}[`);
        expect(text('shootdown.fish')).toMatch(
          new RegExp(`seen_subcommand_from ${entry.path.at(-1)}.* -l ${option.long.slice(2)} `),
        );
        for (const choice of option.choices) expect(own).toContain(choice);
      }
    },
  );
});

/** What bash would offer for the words, the last of which is being typed. */
const offers = (...words: readonly string[]): readonly string[] => {
  const script = `${text('shootdown.bash')}\nCOMP_WORDS=(${words.map((w) => `'${w}'`).join(' ')})\nCOMP_CWORD=${words.length - 1}\n_shootdown\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: 'fixtures' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.trimEnd().split('\n');
};

describe('bash', () => {
  it('offers commands, options, values, files', () => {
    expect(offers('shootdown', 'ch')).toEqual(['check']);
    expect(offers('shootdown', 'hook', '')).toEqual(['install', 'uninstall']);
    expect(offers('shootdown', 'hook', 'install', 'pre-')).toEqual(['pre-commit', 'pre-push']);
    expect(offers('shootdown', 'check', '--format', 's')).toEqual(['sarif']);
    expect(offers('shootdown', 'check', '--machine', 'arm')).toContain('arm64');
    expect(offers('shootdown', 'check', '--sta')).toEqual(['--staged']);
    expect(offers('shootdown', 'scan', '--sta')).toEqual(['']);
    expect(offers('shootdown', 'explain', 'torn')).toEqual(['torn-pte-read']);
    expect(offers('shootdown', 'check', 'sce')).toEqual(['scenarios']);
  });
});

describe('other programs', () => {
  it.skipIf(!has('zsh'))('zsh reads its script', () => {
    const { stderr, status } = spawnSync('zsh', ['-n'], { input: text('_shootdown'), encoding: 'utf8' });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });
  it.skipIf(!has('fish'))('fish completes', () => {
    const ask = (line: string) =>
      spawnSync('fish', ['-c', `${text('shootdown.fish')}\ncomplete -C'${line}'`], { encoding: 'utf8' })
        .stdout;
    expect(ask('shootdown ch')).toContain('check\treview patches');
    expect(ask('shootdown check --format s')).toMatch(/^sarif/);
    expect(ask('shootdown hook in')).toContain('install');
    expect(ask('shootdown explain torn')).toContain('torn-pte-read');
  });
  it.skipIf(!has('man'))('man formats the page without a complaint', () => {
    const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', '-'], {
      input: text('shootdown.1'),
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', MANWIDTH: '80' },
    });
    expect(stderr).toBe('');
    // Bold is a letter over itself.
    const plain = stdout.replaceAll(/.[\b]/g, '');
    expect(plain).toContain('--write-baseline');
    expect(plain).toContain('shootdown 1.2.3');
  });
});
