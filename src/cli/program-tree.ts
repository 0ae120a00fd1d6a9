/** The command line as data, read from commander's definitions: what the manual and the completions are made of. */
import type { Command, Option } from 'commander';

export interface OptionEntry {
  /** `--format`. */
  readonly long: string;
  readonly short: string | null;
  /** `<format>`, without the brackets; null for a switch. */
  readonly value: string | null;
  readonly choices: readonly string[];
  readonly text: string;
  readonly standard: string | null;
}

export interface ArgumentEntry {
  readonly name: string;
  readonly choices: readonly string[];
  readonly isRequired: boolean;
  readonly isVariadic: boolean;
}

export interface CommandEntry {
  /** Words after the program's name; empty for the program itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly options: readonly OptionEntry[];
  readonly arguments: readonly ArgumentEntry[];
  readonly commands: readonly CommandEntry[];
}

/** What is hidden from help stays hidden here. */
export function programTree(command: Command, path: readonly string[] = []): CommandEntry {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((sub) => sub.name() !== 'help');
  return {
    path,
    summary: command.summary() === '' ? command.description() : command.summary(),
    description: command.description() === '' ? command.summary() : command.description(),
    options: command.createHelp().visibleOptions(command).map(optionEntry),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      choices: argument.argChoices ?? [],
      isRequired: argument.required,
      isVariadic: argument.variadic,
    })),
    commands: visible.map((sub) => programTree(sub, [...path, sub.name()])),
  };
}

function optionEntry(option: Option): OptionEntry {
  const standard = option.defaultValueDescription ?? option.defaultValue;
  return {
    long: option.long ?? '',
    short: option.short ?? null,
    value: /<([^>]+)>/.exec(option.flags)?.[1] ?? null,
    choices: option.argChoices ?? [],
    text: option.description,
    standard: standard === undefined ? null : String(standard),
  };
}

/** Every command that can be called, in the order of the definitions; the program itself comes first. */
export function flatten(entry: CommandEntry): readonly CommandEntry[] {
  return [entry, ...entry.commands.flatMap(flatten)];
}

/** `check [FILE...]`. */
export function usageOf(entry: CommandEntry): string {
  const parts = entry.arguments.map(({ name, isRequired, isVariadic }) => {
    const word = isVariadic ? `${name}...` : name;
    return isRequired ? word : `[${word}]`;
  });
  return [...entry.path, ...parts].join(' ');
}
