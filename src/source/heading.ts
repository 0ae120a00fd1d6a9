/** What the text after the second `@@` of a hunk says about the function that the hunk starts in. */

const attributeNames = new Set(
  '__printf __scanf __attribute__ __acquires __releases __must_hold __acquire __release __aligned __section __no_sanitize __cold_if __alloc_size __nonnull __diagnose_as __asm__ __deprecated_msg if for while switch return sizeof typeof defined'.split(
    ' ',
  ),
);

/** Git cuts headings at 80 bytes; a last parameter may be cut too. */
const cutLength = 78;

/** The function that a line defines or declares, or null when it is no function's header. */
export function functionName(header: string): string | null {
  const text = header.trim();
  if (!/^[A-Za-z_]/.test(text) || /^typedef\b/.test(text)) return null;
  let depth = 0;
  for (const match of text.matchAll(/([A-Za-z_]\w*)\s*\(|[()]/g)) {
    const name = match[1];
    if (name !== undefined && depth === 0 && !attributeNames.has(name)) {
      return text.slice(0, match.index).includes('=')
        ? null
        : (argumentName(text, name, match.index) ?? name);
    }
    depth += match[0].endsWith(')') ? -1 : 1;
  }
  return null;
}

/** `SYSCALL_DEFINE3(name, …` and its kind define a function named by their first argument. */
function argumentName(text: string, name: string, at: number): string | null {
  if (!/^(?:COMPAT_)?SYSCALL(?:32)?_DEFINE\d$/.test(name)) return null;
  return /\(\s*(\w+)/.exec(text.slice(at))?.[1] ?? null;
}

/** The heading is a definition's header, so that a body may follow it. */
export function isFunctionHeading(heading: string): boolean {
  return functionName(heading) !== null && !/;\s*$/.test(heading) && !/\}\s*$/.test(heading);
}

/** A header from a heading, up to where a body may follow: parameters that are cut off are left out. */
export function closedHeader(heading: string): string {
  const open = openHeader(heading);
  const depth = parenDepth(open);
  if (depth <= 0) return open;
  return `${open.replace(/,\s*$/, '')}${')'.repeat(depth)}`;
}

/** The same for a heading whose parameters go on in the hunk. */
export function openHeader(heading: string): string {
  let text = heading.trim().replace(/\s*\{\s*$/, '');
  if (parenDepth(text) > 0 && text.length >= cutLength && !text.endsWith(',')) {
    const comma = text.lastIndexOf(',');
    text = text.slice(0, Math.max(comma, text.indexOf('(')) + 1);
  }
  // The return type stands on a line of its own that is not seen; macros in capitals have none.
  return /^[a-z_]\w*\s*\(/.test(text) ? `int ${text}` : text;
}

export function parenDepth(text: string): number {
  let depth = 0;
  for (const char of text) depth += char === '(' ? 1 : char === ')' ? -1 : 0;
  return depth;
}
