/** Breaking text into lines of a width. Pure; knows no colours, so widths are counted before painting. */

/** Words of `text` in lines of at most `width`; a word that is longer is cut. Never empty: at least one line. */
export function wrapText(text: string, width: number): readonly string[] {
  const limit = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length <= limit) {
      line += ` ${rest}`;
      continue;
    }
    if (line !== '') lines.push(line);
    while (rest.length > limit) {
      const cut = cutPlace(rest, limit);
      lines.push(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
    line = rest;
  }
  lines.push(line);
  return lines;
}

/** Long paths and calls break after punctuation where there is some in the second half of the line. */
function cutPlace(word: string, limit: number): number {
  for (let i = limit; i > limit / 2; i--) {
    if ('/,(_-:.'.includes(word.charAt(i - 1))) return i;
  }
  return limit;
}

/** `text` if it fits, else its beginning and `...`. */
export function cutText(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 3 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 3)}...`;
}
