import { sortedNames } from './file-text.js';
import type { Tree } from './snapshot.js';

/**
 * A tree with some files replaced, added, or taken out (null). Folders that become empty stay. One on top of many others
 * reads no slower than one.
 */
export function overlay(base: Tree, texts: ReadonlyMap<string, string | null>): Tree {
  if (texts.size === 0) return base;
  const below = base.over;
  const flat =
    below === undefined ? { base, texts } : { base: below.base, texts: new Map([...below.texts, ...texts]) };
  return {
    over: flat,
    read(path) {
      const text = flat.texts.get(path);
      return text === undefined ? flat.base.read(path) : text;
    },
    list(path) {
      const folder = path === '' || path.endsWith('/') ? path : `${path}/`;
      const names = new Set(flat.base.list(path));
      for (const [file, text] of flat.texts) {
        if (!file.startsWith(folder)) continue;
        const rest = file.slice(folder.length);
        const slash = rest.indexOf('/');
        if (text !== null) names.add(slash < 0 ? rest : rest.slice(0, slash + 1));
        else if (slash < 0) names.delete(rest);
      }
      return sortedNames(names);
    },
  };
}

/** A tree without files. */
export const emptyTree: Tree = { read: () => null, list: () => [] };
