import { postorder } from '#c/postorder.js';

/**
 * The names in an order in which what each one calls comes before it. Where calls go round in a circle, the one that was
 * come to first is the last of them.
 *
 * @param calls what a name calls; what is not among `names` does not count
 */
export const calleesFirst = (
  names: ReadonlySet<string>,
  calls: (name: string) => Iterable<string>,
): readonly string[] => postorder(names, (name) => [...calls(name)].filter((called) => names.has(called)));
