import { posix } from 'node:path';

/**
 * Where a C file's includes may lie; more names than there are files. What is read ahead by them saves waiting, and a
 * name too many costs nothing where the folder is known.
 *
 * @param arches folders such as `arch/x86/`, in each of which `<asm/…>` is looked for
 */
export function includedPaths(path: string, text: string, arches: ReadonlySet<string>): readonly string[] {
  const paths: string[] = [];
  for (const [, open, name = ''] of text.matchAll(
    /^[ \t]*#[ \t]*include[ \t]*([<"])([^\s<>"]{1,200})[>"]/gm,
  )) {
    if (open === '"') paths.push(posix.join(posix.dirname(path), name));
    else if (!name.startsWith('asm/')) paths.push(`include/${name}`);
    else {
      paths.push(`include/asm-generic/${name.slice(4)}`);
      for (const arch of arches) paths.push(`${arch}include/${name}`);
    }
  }
  return paths;
}
