/**
 * Does a machine build a file? Answered from the path and the folder's Makefile, as Kbuild would for that
 * configuration (DESIGN.md rule 9).
 */

import type { Configuration } from '#c/ir.js';
import { evaluateCondition } from '#c/preprocess.js';
import type { MachineFile } from '#event/machine-facts.js';

export function isBuiltOn(
  path: string,
  machine: MachineFile,
  configuration: Configuration,
  read: (path: string) => string | null,
): boolean {
  const arch = /^arch\/([^/]+)\//.exec(path)?.[1];
  if (arch !== undefined && arch !== machine.arch) return false;
  // A tree that holds Kconfig files but none for the architecture cannot be built for it.
  if (read('Kconfig') !== null && read(`arch/${machine.arch}/Kconfig`) === null) return false;
  if (!path.endsWith('.c')) return headerFits(path, configuration);
  const slash = path.lastIndexOf('/');
  const makefile = read(`${path.slice(0, slash)}/Makefile`);
  if (makefile === null) return true;
  const bits = configuration('CONFIG_64BIT') === undefined ? '32' : '64';
  const object = path.slice(slash + 1).replace(/\.c$/, '.o');
  let named = false;
  for (const { target, objects } of linesOf(makefile, bits)) {
    if (!objects.has(object)) continue;
    named = true;
    const condition = /\$\((CONFIG_\w+)\)/.exec(target)?.[1];
    if (condition === undefined) return true;
    const isSet = evaluateCondition(`defined(${condition})`, configuration);
    if (isSet && architectureAllows(condition.replace(/^CONFIG_/, ''), machine.arch, read)) return true;
  }
  // Parts of composite objects are listed under the composite's name; a file no line names is judged by its folder.
  return !named && !(/_(32|64)\.c$/.exec(path)?.[1] === (bits === '64' ? '32' : '64'));
}

interface MakefileLine {
  /** What is assigned to: `obj-$(CONFIG_X)`. */
  readonly target: string;
  readonly objects: ReadonlySet<string>;
}

/** By word size: one Makefile is asked about the files of its folder one after the other, for all machines. */
const last = new Map<string, { readonly text: string; readonly lines: readonly MakefileLine[] }>();

function linesOf(makefile: string, bits: string): readonly MakefileLine[] {
  const known = last.get(bits);
  if (known?.text === makefile) return known.lines;
  const lines: MakefileLine[] = [];
  for (const line of makefile.replace(/\\\n/g, ' ').replaceAll('$(BITS)', bits).split('\n')) {
    const match = /^([A-Za-z0-9_./$()-]+)\s*[:+]?=(.*)$/.exec(line);
    if (match !== null)
      lines.push({ target: match[1] ?? '', objects: new Set((match[2] ?? '').split(/\s+/)) });
  }
  last.set(bits, { text: makefile, lines });
  return lines;
}

/** Kconfig files that define symbols of page-table code for all architectures. */
const GENERIC = ['mm/Kconfig', 'fs/Kconfig'];
/** Files of one architecture that are looked through for what it selects. */
const MOST_KCONFIGS = 64;

/**
 * May the symbol be set on the architecture? Not where it depends on one that only architectures select (ARCH_…), and
 * this one nowhere names it: then this tree does not build for it what a machine's file asks for.
 */
function architectureAllows(symbol: string, arch: string, read: (path: string) => string | null): boolean {
  const key = `${symbol} ${arch}`;
  const known = allowed.get(key);
  if (known !== undefined && [...known.texts].every(([path, text]) => read(path) === text))
    return known.answer;
  const texts = new Map<string, string | null>();
  const answer = readsAsAllowed(symbol, arch, (path) => {
    const text = read(path);
    texts.set(path, text);
    return text;
  });
  if (allowed.size >= MOST_ALLOWED) allowed.clear();
  allowed.set(key, { texts, answer });
  return answer;
}

/** By symbol and architecture: what it was last, and the Kconfig files that say so. Every file of a folder asks again. */
const allowed = new Map<
  string,
  { readonly texts: ReadonlyMap<string, string | null>; readonly answer: boolean }
>();

/** More symbols than the folders of page-table code name on all architectures. */
const MOST_ALLOWED = 4096;

function readsAsAllowed(symbol: string, arch: string, read: (path: string) => string | null): boolean {
  const needed = GENERIC.flatMap((path) => {
    const block =
      new RegExp(`^config ${symbol}\\n((?:[ \\t].*\\n|\\n)*)`, 'm').exec(read(path) ?? '')?.[1] ?? '';
    return [...block.matchAll(/^[ \t]+depends on (ARCH_\w+)$/gm)].flatMap((match) => match[1] ?? []);
  });
  if (needed.length === 0) return true;
  const texts: string[] = [];
  const paths = [`arch/${arch}/Kconfig`];
  for (let at = 0; at < Math.min(paths.length, MOST_KCONFIGS); at += 1) {
    const text = read(paths[at] ?? '') ?? '';
    texts.push(text);
    for (const [, path = ''] of text.matchAll(/^\s*source "(arch\/[\w./-]+)"/gm))
      if (!paths.includes(path)) paths.push(path);
  }
  // Hunks alone say nothing of it.
  if (texts.every((text) => text === '')) return true;
  return needed.every((name) => texts.some((text) => new RegExp(`\\b${name}\\b`).test(text)));
}

/** Headers of one word size or paging mode name it. */
function headerFits(path: string, configuration: Configuration): boolean {
  const wide = configuration('CONFIG_64BIT') !== undefined;
  if (/_64(_types)?\.h$/.test(path)) return wide;
  if (/_32(_types)?\.h$/.test(path)) return !wide;
  if (/-3level(_types)?\.h$/.test(path)) return !wide && configuration('CONFIG_X86_PAE') !== undefined;
  if (/-2level(_types)?\.h$/.test(path)) return !wide && configuration('CONFIG_X86_PAE') === undefined;
  return true;
}
