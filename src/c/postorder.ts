/**
 * Everything that `starts` lead to, each once and behind what it leads to itself; where ways go round in a circle, what
 * was come to first is the last of them. Ways may be as long as a hostile file makes them: no recursion.
 *
 * @param next asked once for each, when it is come to
 */
export function postorder<T>(starts: Iterable<T>, next: (at: T) => Iterable<T>): T[] {
  const order: T[] = [];
  const begun = new Set<T>();
  const open: { readonly at: T; readonly left: Iterator<T> }[] = [];
  const begin = (at: T): void => {
    if (begun.has(at)) return;
    begun.add(at);
    open.push({ at, left: next(at)[Symbol.iterator]() });
  };
  for (const start of starts) {
    begin(start);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const way = top.left.next();
      if (way.done !== true) begin(way.value);
      else {
        order.push(top.at);
        open.pop();
      }
    }
  }
  return order;
}
