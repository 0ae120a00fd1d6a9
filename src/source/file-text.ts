/** Larger files are no source that anyone reviews. */
export const maxFileBytes = 4 * 1024 * 1024;

/** Text of a file, invalid UTF-8 replaced; null when it is binary or too large. */
export function fileText(bytes: Buffer): string | null {
  if (bytes.length > maxFileBytes || bytes.subarray(0, 8000).includes(0)) return null;
  return bytes.toString('utf8');
}

/** The path's parts, or null when it would leave the tree. The empty path is the top. */
export function pathParts(path: string): string[] | null {
  if (path.startsWith('/') || path.includes('\0') || path.includes('\\')) return null;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') ? null : parts;
}

/** Names in code-unit order, so that output does not hang on a locale. */
export function sortedNames(names: Iterable<string>): readonly string[] {
  return [...names].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Is it C, by its name? */
export const isSource = (name: string): boolean => /\.[ch]$/.test(name);
