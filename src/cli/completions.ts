/** Completion scripts for shells, made from the definitions of the commands. */
import { type ArgumentEntry, type CommandEntry, flatten, type OptionEntry } from './program-tree.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Names that only the rules know. */
export interface KnownNames {
  readonly machines: readonly string[];
  readonly hazards: readonly string[];
}

/** The script for one shell. */
export function completionScript(shell: Shell, program: CommandEntry, known: KnownNames): string {
  switch (shell) {
    case 'bash':
      return bash(program, known);
    case 'zsh':
      return zsh(program, known);
    case 'fish':
      return fish(program, known);
  }
}

type Values =
  | { readonly kind: 'list'; readonly words: readonly string[] }
  | { readonly kind: 'file' | 'folder' | 'free' };

function optionValues(option: OptionEntry, known: KnownNames): Values | null {
  if (option.value === null) return null;
  if (option.choices.length > 0) return { kind: 'list', words: option.choices };
  if (option.long === '--machine') return { kind: 'list', words: [...known.machines, 'all'] };
  if (option.value === 'dir') return { kind: 'folder' };
  return { kind: option.value === 'file' ? 'file' : 'free' };
}

function argumentValues(argument: ArgumentEntry | undefined, known: KnownNames): Values | null {
  if (argument === undefined) return null;
  if (argument.choices.length > 0) return { kind: 'list', words: argument.choices };
  if (argument.name === 'HAZARD') return { kind: 'list', words: known.hazards };
  return { kind: /^(?:FILE|PATH|SCENARIO)/.test(argument.name) ? 'file' : 'free' };
}

const HEADER = '# Generated from the definitions of the commands by the build';

function bash(program: CommandEntry, known: KnownNames): string {
  const all = flatten(program);
  const enter = all
    .filter((entry) => entry.path.length > 0)
    .map((entry) => {
      const before = entry.path.slice(0, -1).join(' ');
      return `      '${before}:${entry.path.at(-1)}') at='${entry.path.join(' ')}' ;;`;
    });
  const values = all.flatMap((entry) =>
    entry.options.flatMap((option) => {
      const found = optionValues(option, known);
      if (found === null) return [];
      return [`    '${entry.path.join(' ')}:${option.long}') ${bashReply(found)}; return ;;`];
    }),
  );
  const words = all.map((entry) => {
    const flags = entry.options.map((o) => o.long).join(' ');
    const subs = entry.commands.map((c) => c.path.at(-1) ?? '');
    const own = argumentValues(entry.arguments[0], known);
    const rest: Values | null = subs.length > 0 ? { kind: 'list', words: subs } : own;
    const reply = rest === null ? ':' : bashReply(rest);
    return `    '${entry.path.join(' ')}') if [[ $cur == -* ]]; then ${bashReply({ kind: 'list', words: flags.split(' ') })}; else ${reply}; fi ;;`;
  });
  return [
    HEADER,
    '_shootdown() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} at= i',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "$at:${COMP_WORDS[i]}" in',
    ...enter,
    '    esac',
    '  done',
    '  COMPREPLY=()',
    '  case "$at:$prev" in',
    ...values,
    '  esac',
    '  case "$at" in',
    ...words,
    '  esac',
    '}',
    'complete -o filenames -F _shootdown shootdown',
    '',
  ].join('\n');
}

function bashReply(values: Values): string {
  const fill = (what: string): string => `mapfile -t COMPREPLY < <(compgen ${what} -- "$cur")`;
  switch (values.kind) {
    case 'list':
      return fill(`-W '${values.words.join(' ')}'`);
    case 'file':
      return fill('-f');
    case 'folder':
      return fill('-d');
    case 'free':
      return ':';
  }
}

function zsh(program: CommandEntry, known: KnownNames): string {
  const out = ['#compdef shootdown', HEADER, ''];
  for (const entry of flatten(program)) {
    const name = ['_shootdown', ...entry.path].join('_').replaceAll('-', '_');
    out.push(`${name}() {`);
    const specs = entry.options.map((option) => {
      const values = optionValues(option, known);
      const action = values === null ? '' : `:${option.value}:${zshAction(values)}`;
      const repeats = option.long === '--machine' ? '*' : '';
      return zshQuote(`${repeats}${option.long}[${zshText(option.text)}]${action}`);
    });
    if (entry.commands.length > 0) {
      const list = entry.commands.map((c) => zshQuote(`${c.path.at(-1)}:${zshText(c.summary)}`));
      const cases = entry.commands.map(
        (c) => `    ${c.path.at(-1)}) ${['_shootdown', ...c.path].join('_').replaceAll('-', '_')} ;;`,
      );
      out.push(
        '  local line state',
        `  local -a commands=(${list.join(' ')})`,
        `  _arguments -C ${specs.join(' ')} '1: :->command' '*::argument:->rest'`,
        '  case $state in',
        '  command) _describe command commands ;;',
        '  rest)',
        '    case $line[1] in',
        ...cases,
        '    esac ;;',
        '  esac',
      );
    } else {
      const [argument] = entry.arguments;
      const values = argumentValues(argument, known);
      const position = argument?.isVariadic ? '*' : '1';
      if (argument !== undefined && values !== null)
        specs.push(zshQuote(`${position}:${argument.name}:${zshAction(values)}`));
      out.push(`  _arguments ${specs.join(' ')}`);
    }
    out.push('}', '');
  }
  out.push('_shootdown "$@"', '');
  return out.join('\n');
}

function zshAction(values: Values): string {
  switch (values.kind) {
    case 'list':
      return `(${values.words.join(' ')})`;
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'free':
      return ' ';
  }
}

const zshText = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');
const zshQuote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function fish(program: CommandEntry, known: KnownNames): string {
  const out = [HEADER, 'complete -c shootdown -f'];
  for (const entry of flatten(program)) {
    const here = fishCondition(entry, program);
    for (const sub of entry.commands) {
      const others = entry.commands.map((c) => c.path.at(-1)).join(' ');
      const condition = `${here}; and not __fish_seen_subcommand_from ${others}`.replace(/^; and /, '');
      out.push(
        `complete -c shootdown -n ${fishQuote(condition)} -a ${sub.path.at(-1)} -d ${fishQuote(sub.summary)}`,
      );
    }
    for (const option of entry.options) {
      const values = optionValues(option, known);
      const condition = here === '' ? '' : ` -n ${fishQuote(here)}`;
      out.push(
        `complete -c shootdown${condition} -l ${option.long.slice(2)}${values === null ? '' : fishValues(values)} -d ${fishQuote(option.text)}`,
      );
    }
    const own = argumentValues(entry.arguments[0], known);
    if (entry.commands.length === 0 && own !== null && own.kind !== 'free')
      out.push(`complete -c shootdown -n ${fishQuote(here)} ${fishArguments(own)}`);
  }
  return `${out.join('\n')}\n`;
}

function fishCondition(entry: CommandEntry, program: CommandEntry): string {
  if (entry === program) return '';
  return entry.path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
}

function fishValues(values: Values): string {
  switch (values.kind) {
    case 'list':
      return ` -x -a ${fishQuote(values.words.join(' '))}`;
    case 'file':
      return ' -r -F';
    case 'folder':
      return " -x -a '(__fish_complete_directories)'";
    case 'free':
      return ' -x';
  }
}

function fishArguments(values: Values): string {
  return values.kind === 'list' ? `-a ${fishQuote(values.words.join(' '))}` : '-F';
}

const fishQuote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;
