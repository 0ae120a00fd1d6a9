/**
 * The names in an order in which what each one calls comes before it. Where calls go round in a circle, the one that was
 * come to first is the last of them.
 *
 * @param calls what a name calls; what is not among `names` does not count
 */
export function calleesFirst(
  names: ReadonlySet<string>,
  calls: (name: string) => Iterable<string>,
): readonly string[] {
  const order: string[] = [];
  const begun = new Set<string>();
  // Chains of calls may be as long as a file: no recursion.
  const open: { readonly name: string; readonly left: Iterator<string> }[] = [];
  const begin = (name: string): void => {
    if (begun.has(name) || !names.has(name)) return;
    begun.add(name);
    open.push({ name, left: calls(name)[Symbol.iterator]() });
  };
  for (const name of names) {
    begin(name);
    for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
      const next = last.left.next();
      if (next.done !== true) {
        begin(next.value);
        continue;
      }
      order.push(last.name);
      open.pop();
    }
  }
  return order;
}
