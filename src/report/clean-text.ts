/**
 * Text from patches is shown on terminals and in pages: what could steer a terminal or reverse the reading order is
 * taken out, tabs become blanks.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** One line, without control characters; line breaks and tabs become single blanks. */
export function cleanLine(text: string): string {
  return text
    .replace(/[\t\n\r]+/g, ' ')
    .replace(CONTROL, '')
    .trim();
}

/** A source line: tabs expanded to the kernel's eight columns, control characters removed, no blanks at the end. */
export function cleanSource(text: string): string {
  let out = '';
  for (const character of text.replace(/[\r\n]/g, '')) {
    out += character === '\t' ? ' '.repeat(8 - (out.length % 8)) : character;
  }
  return out.replace(CONTROL, '').trimEnd();
}

/** A line of a patch in a quotation: its tabs stay, control characters go. */
export function cleanQuoted(text: string): string {
  return text.replace(/[\r\n]/g, '').replace(CONTROL, '');
}
