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
  const joined = makefile.replace(/\\\n/g, ' ').replaceAll('$(BITS)', bits);
  let named = false;
  for (const line of joined.split('\n')) {
    const match = /^([A-Za-z0-9_./$()-]+)\s*[:+]?=(.*)$/.exec(line);
    if (match === null || !(match[2] ?? '').split(/\s+/).includes(object)) continue;
    named = true;
    const condition = /\$\((CONFIG_\w+)\)/.exec(match[1] ?? '')?.[1];
    if (condition === undefined || evaluateCondition(`defined(${condition})`, configuration)) return true;
  }
  // Parts of composite objects are listed under the composite's name; a file no line names is judged by its folder.
  return !named && !(/_(32|64)\.c$/.exec(path)?.[1] === (bits === '64' ? '32' : '64'));
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
