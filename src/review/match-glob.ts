/**
 * Does a path, or a name, fit a pattern? `*` and `?` stay between slashes, `**` goes over them, a pattern that ends in
 * `/` means all below. Everything else stands for itself. Linear in the text for each token, without the
 * backtracking of a regular expression, since patterns come from files of others.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = tokensOf(pattern.endsWith('/') ? `${pattern}**` : pattern);
  // `reach` holds, for the tokens read so far, every length of the text that they can have eaten, in order.
  let reach: readonly number[] = [0];
  for (const token of tokens) {
    const next: number[] = [];
    const add = (length: number): void => {
      if (length > (next.at(-1) ?? -1)) next.push(length);
    };
    for (const start of reach) {
      if (token === '*' || token === '**' || token === '**/') {
        // What an earlier start reached, a later one need not walk again.
        const from = Math.max(start, next.at(-1) ?? 0);
        if (token === '**/') add(start);
        for (let at = from; at <= text.length; at += 1) {
          if (token !== '**/') add(at);
          else if (text[at] === '/') add(at + 1);
          if (token === '*' && text[at] === '/') break;
        }
      } else if (token === '?' ? start < text.length && text[start] !== '/' : text[start] === token) {
        add(start + 1);
      }
    }
    reach = next;
  }
  return reach.at(-1) === text.length;
}

// A double star with its slash stands for whole folders, so only at the start of one: what it adds lies behind a slash.
function tokensOf(pattern: string): readonly string[] {
  return pattern.match(/(?<=^|\/)\*\*\/|\*\*|[\s\S]/g) ?? [];
}
