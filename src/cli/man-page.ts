import { type CommandEntry, flatten, type OptionEntry, usageOf } from './program-tree.js';

/** The manual page, section 1, in man(7) macros. The same definitions give the same page: it carries no date. */
export function manPage(program: CommandEntry, version: string): string {
  const commands = flatten(program).filter((entry) => entry.path.length > 0 && entry.commands.length === 0);
  return [
    '.\\" Generated from the definitions of the commands by the build',
    `.TH SHOOTDOWN 1 "" "shootdown ${version}" "User Commands"`,
    '.SH NAME',
    'shootdown \\- review kernel patches for page\\-table and TLB ordering bugs',
    '.SH SYNOPSIS',
    ...commands.flatMap((entry) => ['.B shootdown', roff(usageOf(entry)), '.br']),
    '.SH DESCRIPTION',
    roff(program.description),
    'A finding is a run of a model of the machine that goes wrong, shown step by step.',
    '.SH COMMANDS',
    ...commands.flatMap(describe),
    '.SH EXIT STATUS',
    ...tagged('0', 'Nothing at or above \\fB\\-\\-fail\\-on\\fR.'),
    ...tagged(
      '1',
      'Findings. In \\fBcheck\\fR only those that the patch brings in count, in \\fBscan\\fR all.',
    ),
    ...tagged('2', 'An error in usage or input: one line on standard error, nothing written.'),
    '.SH ENVIRONMENT',
    ...tagged('NO_COLOR, FORCE_COLOR', 'Colours on the terminal.'),
    ...tagged('SOURCE_DATE_EPOCH', 'The date of replies, in seconds, instead of now.'),
    ...tagged('B4_TRACKING_FILE', 'Set by b4 for \\fBb4\\-check\\fR: which commits a series is.'),
    '.SH EXAMPLES',
    ...example('Review a series from a list:', 'b4 am -o - MESSAGE-ID | shootdown check --tree linux -'),
    ...example('Review your own commits:', 'shootdown check --range origin/master..'),
    ...example(
      'Write replies, to be read and sent by you:',
      'shootdown check --format mail --output replies/ series.mbox',
    ),
    ...example('Search files as they are:', 'shootdown scan mm/vmalloc.c --tree linux'),
    '.SH SEE ALSO',
    '.BR git (1),',
    '.BR git\\-send\\-email (1)',
    '',
  ].join('\n');
}

function describe(entry: CommandEntry): readonly string[] {
  return [
    `.SS "shootdown ${roff(usageOf(entry))}"`,
    roff(entry.description),
    ...entry.options.filter((option) => option.long !== '--help').flatMap(optionLines),
  ];
}

function optionLines(option: OptionEntry): readonly string[] {
  const value = option.value === null ? '' : ` \\fI${roff(option.value)}\\fR`;
  const names = [option.short, option.long].filter((n) => n !== null).map((n) => `\\fB${roff(n)}\\fR`);
  const choices = option.choices.length === 0 ? '' : ` One of ${option.choices.join(', ')}.`;
  const standard = option.standard === null ? '' : ` Default: ${option.standard}.`;
  return ['.TP', `${names.join(', ')}${value}`, roff(`${sentence(option.text)}${choices}${standard}`)];
}

const tagged = (name: string, text: string): readonly string[] => ['.TP', `.B ${roff(name)}`, text];

const example = (text: string, command: string): readonly string[] => [
  '.PP',
  roff(text),
  '.PP',
  '.nf',
  '.RS',
  roff(command),
  '.RE',
  '.fi',
];

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.?!]$/.test(upper) ? upper : `${upper}.`;
}

/** A line that begins with a dot or a quote would be a request to the formatter. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}
