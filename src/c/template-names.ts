/**
 * Functions whose names a macro puts together: `static int FNAME(walk)(…)` in a header that is included once for each
 * meaning of FNAME.
 */

/** `#define FNAME(name) paging64_##name`: a macro that does nothing but that. */
const PASTES = /^[ \t]*#[ \t]*define[ \t]+(\w+)\((\w+)\)[ \t]+(?:\w+[ \t]*##[ \t]*)+\w+[ \t]*$/gm;

/**
 * The text with each such name as one word of the same length, `FNAME_walk `, where functions are defined by them.
 * Lines and columns stay.
 */
export function plainNames(text: string): string {
  if (!text.includes('##')) return text;
  const macros = new Set<string>();
  for (const [, name = ''] of text.matchAll(PASTES))
    if (new RegExp(`^[a-z_][\\w \\t*]*\\b${name}\\(\\w+\\)\\([^;]*?\\)\\s*\\{`, 'm').test(text))
      macros.add(name);
  if (macros.size === 0) return text;
  const used = new RegExp(`^([ \\t]*#.*)$|\\b(${[...macros].join('|')})\\((\\w+)\\)(?=\\s*\\()`, 'gm');
  return text.replace(used, (whole, directive: string | undefined, macro: string, name: string) =>
    directive !== undefined ? whole : `${macro}_${name} `,
  );
}
