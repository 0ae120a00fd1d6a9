import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, Option } from 'commander';
import type { RuleSet } from '#rules/rule.js';
import { FORMATS } from './choose-renderer.js';
import { readJobs } from './read-jobs.js';
import { UsageError } from './usage-error.js';

/**
 * Reads the command line and runs the command. Gives the exit code; throws what is to be said on stderr. Every
 * command is loaded only when it is used.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  if (args.length === 0) throw new UsageError('which command? shootdown --help lists them');
  let code = 0;
  const finish = (result: number): void => {
    code = result;
  };
  const program = createProgram(finish);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    throw error;
  }
  return code;
}

/** As package.json has it. */
export function toolVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}

/** The definitions of all commands. `finish` gets the exit code of the one that ran. */
export function createProgram(finish: (code: number) => void): Command {
  const program = new Command('shootdown')
    .description(
      'Reviews Linux kernel patches for page-table changes whose TLB flush, wait, unlock or free comes in the wrong order.',
    )
    .version(toolVersion())
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError(true);

  common(program.command('check'))
    .summary('review patches')
    .description(
      'Review patches: mbox, git format-patch, plain diff; several mails in one file. Only introduced findings fail.',
    )
    .argument(
      '[FILE...]',
      'patch files, maildirs or folders of patches; - is standard input, also read when nothing is named',
    )
    .option('--tree <dir>', 'kernel source: a git checkout or a plain folder (default: the one you stand in)')
    .option('--range <A..B>', 'take the commits of a git range')
    .option('--staged', 'take what is staged in git')
    .option('--existing', 'also report what was there before')
    .option('--no-suggest', 'do not look for edits that put findings right')
    .addOption(jobs('1 for few patches'))
    .addOption(new Option('--dump <kind:function>', 'show a stage: cfg or events').hideHelp())
    .action(async (files: string[], flags) => finish(await (await import('./check.js')).check(files, flags)));

  common(program.command('scan'))
    .summary('search whole files or folders')
    .description('Search whole files or folders of a kernel tree, without a patch. Every finding fails.')
    .argument('<PATH...>', 'files or folders of the tree')
    .option('--tree <dir>', 'kernel source (default: the one you stand in)')
    .addOption(jobs('the cores there are'))
    .action(async (paths: string[], flags) => finish(await (await import('./scan.js')).scan(paths, flags)));

  output(machine(program.command('simulate')))
    .summary('run scenarios on the machine')
    .description('Run hand-written scenarios; exit code 1 where a verdict is not the expected one.')
    .argument('<SCENARIO...>', 'scenario files')
    .action(async (files: string[], flags) =>
      finish(await (await import('./run-simulate.js')).runSimulate(files, flags)),
    );

  report(program.command('render'))
    .summary('show a JSON report in another format')
    .description('Show a report that --format json wrote in another format; nothing is reviewed again.')
    .argument('<FILE>', 'the report; - is standard input')
    .action(async (file: string, flags) => finish(await (await import('./render.js')).render(file, flags)));

  silence(machine(program.command('b4-check')))
    .summary('answer a check of b4 review')
    .description('Read one mail on standard input and answer as b4 review wants its checks: a JSON array.')
    .option('--tree <dir>', 'kernel source (default: the one you stand in)')
    .action(async (flags) => finish(await (await import('./b4-check.js')).b4Check(flags)));

  const hook = program
    .command('hook')
    .summary('review what is committed or pushed, by a git hook')
    .description('Install a git hook that reviews what is committed or pushed, or take it away again.');
  const which = (): Argument =>
    new Argument('[HOOK]', 'which hook').choices(['pre-commit', 'pre-push']).default('pre-commit');
  const inFolder = (command: Command): Command =>
    command.addOption(new Option('--tree <dir>', 'the repository').default('.', 'where you stand'));
  inFolder(
    hook.command('install').summary('put the hook there; one that is there runs first').addArgument(which()),
  ).action(async (name, flags) => finish(await (await import('./hook.js')).installHook(name, flags.tree)));
  inFolder(
    hook.command('uninstall').summary('take it away, and put back the one from before').addArgument(which()),
  ).action(async (name, flags) => finish(await (await import('./hook.js')).uninstallHook(name, flags.tree)));
  inFolder(hook.command('run', { hidden: true }).addArgument(which()).argument('[REMOTE...]')).action(
    async (name, _remote, flags) => finish(await (await import('./hook.js')).runHook(name, flags.tree)),
  );

  program
    .command('completion')
    .summary('print a completion script for a shell')
    .addArgument(new Argument('<SHELL>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const [{ shellCompletion }, { writeOutput }] = await Promise.all([
        import('./manual-files.js'),
        import('./write-output.js'),
      ]);
      await writeOutput(shellCompletion(shell, program), null);
    });

  program
    .command('explain')
    .summary('what a hazard is, wrong and right order')
    .argument('<HAZARD>', 'an id that shootdown hazards lists')
    .action(async (id: string) => {
      const { explainHazard } = await import('./list-known.js');
      await show((rules) => explainHazard(rules, id));
    });
  program
    .command('machines')
    .summary('known machines, their facts and where these come from')
    .action(async () => {
      const { listMachines } = await import('./list-known.js');
      await show((rules) => listMachines(rules.machines));
    });
  program
    .command('rules')
    .summary('known kernel primitives and what they do')
    .argument('[NAME]', 'only this one')
    .action(async (name?: string) => {
      const { listRules } = await import('./list-known.js');
      await show((rules) => listRules(rules, name ?? null));
    });
  program
    .command('hazards')
    .summary('known hazards')
    .action(async () => {
      const { listHazards } = await import('./list-known.js');
      await show(listHazards);
    });
  program
    .command('bot')
    .summary('run the GitHub app')
    .description(
      'Run the GitHub app: webhooks in, reviews out. Settings come from the environment, see docs/github-app.md.',
    )
    .option('--worker', 'only work on queued reviews; needs REDIS_URL')
    .action(async (flags) => finish(await (await import('#bot/run-bot.js')).runBot(flags, process.env)));
  program
    .command('action')
    .summary('review the pull request of a GitHub workflow')
    .description(
      'Review the pull request of the GitHub workflow that runs this: job summary, annotations, SARIF. See action.yml.',
    )
    .option('--sarif <file>', 'write the findings there as SARIF 2.1.0')
    .addOption(
      new Option(
        '--fail-on <severity>',
        'least severity for exit code 1 (default: what .github/shootdown.yml says)',
      ).choices(['error', 'warning', 'never']),
    )
    .action(async (flags) =>
      finish(await (await import('#bot/run-action.js')).runAction(flags, process.env)),
    );
  return program;
}

function jobs(otherwise: string): Option {
  return new Option('--jobs <n>', `threads that work at the same time (default: ${otherwise})`).argParser(
    readJobs,
  );
}

function common(command: Command): Command {
  return kept(report(machine(command)));
}

/** Options of everything that writes a report. */
function report(command: Command): Command {
  return silence(output(command))
    .addOption(new Option('--format <format>', 'output format').choices(FORMATS).default('text'))
    .option('--from <address>', 'who the replies of --format mail are from (default: as git has it)')
    .addOption(
      new Option('--fail-on <severity>', 'least severity for exit code 1')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    );
}

function machine(command: Command): Command {
  const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value];
  return command.addOption(
    new Option('--machine <names>', 'machines, with commas, or all')
      .argParser(gather)
      .default([], 'all that can run the code'),
  );
}

function kept(command: Command): Command {
  return command.option('--no-cache', 'keep nothing for later runs, and use nothing that was kept');
}

function silence(command: Command): Command {
  return command
    .option('--suppressions <file>', 'findings not to report: YAML with hazard and reason of each')
    .option('--baseline <file>', 'findings not to report: those that --write-baseline wrote')
    .option('--write-baseline <file>', 'write what is found as a baseline');
}

function output(command: Command): Command {
  return command.option('--output <file>', 'write there instead of stdout');
}

async function show(render: (rules: RuleSet) => string): Promise<void> {
  const [{ loadRules }, { writeOutput }] = await Promise.all([
    import('#rules/load-rules.js'),
    import('./write-output.js'),
  ]);
  await writeOutput(render(loadRules()), null);
}
