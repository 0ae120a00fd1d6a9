import { describe, expect, it } from 'vitest';
import { describeFailure } from '#cli/report-failure.js';
import { runCommand } from '#cli/run-command.js';

const failure = async (...args: string[]): Promise<string> =>
  runCommand(args).then((code) => `exit ${code}`, describeFailure);

describe('runCommand', () => {
  it.each([
    [[], 'which command? shootdown --help lists them'],
    [['chek'], "unknown command 'chek' (Did you mean check?)"],
    [['check', '--formt', 'json', 'a'], "unknown option '--formt' (Did you mean --format?)"],
    [
      ['check', '--format', 'pdf', 'a'],
      "option '--format <format>' argument 'pdf' is invalid. Allowed choices are text, json, sarif, markdown, html, mail.",
    ],
    [['explain'], "missing required argument 'HAZARD'"],
  ])('%j is refused with one line', async (args, line) => {
    expect(await failure(...args)).toBe(line);
  });
  it('refuses an unknown format and names the known ones', async () => {
    expect(await failure('check', '--format', 'xml', 'a')).toContain('Allowed choices are text, json');
  });
});
