import { indexFile } from '#c/index-file.js';
import type { CFunction, Configuration } from '#c/ir.js';
import { lowerFunction } from '#c/lower-function.js';
import { printFunction } from '#c/print-cfg.js';

export const configuration: Configuration = (symbol) =>
  ({ CONFIG_Y: 'y', CONFIG_M: 'm', CONFIG_LEVELS: '4' })[symbol];

/** Lowers the definition called `name` of a file. */
export function lower(text: string, name = 'f'): CFunction {
  const index = indexFile('a.c', text);
  const definition = index.definitions.get(name)?.[0];
  if (!definition) throw new Error(`${name} was not found`);
  const result = lowerFunction(index, definition, configuration);
  if ('reason' in result) throw new Error(`line ${result.line}: ${result.reason}`);
  return result;
}

/** Dump of `void f(parameters)` with this body, without line numbers. */
export function dump(body: string, parameters = 'int a, int b, struct s *p'): string {
  return shape(lower(`int f(${parameters})\n{\n${body}\n}\n`));
}

export function shape(f: CFunction): string {
  return printFunction(f)
    .split('\n')
    .slice(1)
    .map((line) =>
      line
        .replace(/^ {2,}\d+ {2}/, '  ')
        .replace(/^ {9}jump/, '  jump')
        .replace(/ +from /, ' from '),
    )
    .join('\n');
}
