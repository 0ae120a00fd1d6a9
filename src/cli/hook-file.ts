/** The file that git runs, and what is done with one that is there already. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from './usage-error.js';

export const HOOKS = ['pre-commit', 'pre-push'] as const;
export type HookName = (typeof HOOKS)[number];

const MARK = '# written by: shootdown hook install';
/** What the former hook is called while ours stands in its place. */
export const FORMER = '.before-shootdown';

/** How the hook starts shootdown: the program and its first argument. */
export interface Program {
  readonly node: string;
  readonly main: string;
}

/**
 * The script. The former hook runs first, with the same arguments and input; where it fails, its status stands. A
 * shootdown that has been removed since blocks nobody.
 */
export function hookScript(name: HookName, program: Program): string {
  const run = `${quoted(program.node)} ${quoted(program.main)} hook run ${name}`;
  const lines = [
    '#!/bin/sh',
    MARK,
    '# `shootdown hook uninstall` takes it away and puts back the hook that was here before.',
    `former=$(dirname -- "$0")/${name}${FORMER}`,
  ];
  const missing = [
    `if ! [ -x ${quoted(program.node)} ] || ! [ -f ${quoted(program.main)} ]; then`,
    "\techo 'shootdown: not found any more, nothing was checked' >&2",
    '\texit 0',
    'fi',
  ];
  if (name === 'pre-commit') {
    lines.push('if [ -x "$former" ]; then', '\t"$former" "$@" || exit $?', 'fi', ...missing, `exec ${run}`);
  } else {
    // git tells on standard input what is pushed; both hooks have to read it.
    lines.push(
      'refs=$(cat)',
      'if [ -x "$former" ]; then',
      '\tprintf \'%s\\n\' "$refs" | "$former" "$@" || exit $?',
      'fi',
      ...missing,
      `printf '%s\\n' "$refs" | ${run} "$@"`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Puts the script at `file`; a hook of somebody else moves aside. Says whether one did. Throws UsageError. */
export async function placeHook(file: string, script: string): Promise<'new' | 'chained' | 'renewed'> {
  const state = await stateOf(file);
  const isChained = state === 'foreign';
  if (isChained) {
    if (existsSync(file + FORMER))
      throw new UsageError(`${file}${FORMER} is in the way: it would be the name of the hook that is there`);
    await rename(file, file + FORMER);
  }
  await mkdir(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}.tmp`;
  await writeFile(fresh, script, { flag: 'wx' });
  await chmod(fresh, 0o755);
  await rename(fresh, file);
  return isChained ? 'chained' : state === 'ours' ? 'renewed' : 'new';
}

/** Takes our hook away and puts the former one back. Leaves the hook of somebody else alone. */
export async function removeHook(file: string): Promise<'removed' | 'restored' | 'foreign' | 'none'> {
  const state = await stateOf(file);
  if (state !== 'ours') return state;
  if (existsSync(file + FORMER)) {
    await rename(file + FORMER, file);
    return 'restored';
  }
  await rm(file);
  return 'removed';
}

async function stateOf(file: string): Promise<'none' | 'ours' | 'foreign'> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return 'none';
  return text.split('\n', 3).includes(MARK) ? 'ours' : 'foreign';
}

/** One word for the shell, whatever it holds. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
