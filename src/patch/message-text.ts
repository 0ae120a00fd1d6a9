/** What stands before the diff of a mail, cut into its pieces. */
export interface MessageText {
  /** From, Subject and Date at the top of the body, by lower-case name. */
  readonly inBody: ReadonlyMap<string, string>;
  /** The changelog: up to `---`, without in-body headers, and only what is below a scissors line. */
  readonly message: string;
  readonly trailers: Readonly<Record<string, string>>;
  readonly hasScissors: boolean;
}

/**
 * Cuts the lines before the diff. `tail` are the lines after it, where `git format-patch --base` writes its trailers.
 */
export function parseMessage(lead: readonly string[], tail: readonly string[]): MessageText {
  const lines = lead.map((line) => line.trimEnd());
  const cut = lines.findIndex(isScissors);
  const below = lines.slice(cut + 1);
  const { inBody, start } = inBodyHeaders(below);
  const end = below.findIndex((line, index) => index >= start && line === '---');
  const message = trimBlank(below.slice(start, end < 0 ? undefined : end));
  const after = [...(end < 0 ? [] : below.slice(end)), ...tail.map((line) => line.trimEnd())];
  return {
    inBody,
    message: message.join('\n'),
    trailers: trailersOf([...lastParagraph(message), ...after.filter((line) => seriesTrailer.test(line))]),
    hasScissors: cut >= 0,
  };
}

/** Cuts the message of a commit: the first paragraph is its subject, and nothing in it is a mail's. */
export function parseCommitMessage(text: string): {
  readonly subject: string;
  readonly body: string;
  readonly trailers: Readonly<Record<string, string>>;
} {
  const lines = trimBlank(text.split('\n').map((line) => line.trimEnd()));
  const end = lines.indexOf('');
  const body = end < 0 ? [] : trimBlank(lines.slice(end));
  return {
    subject: lines
      .slice(0, end < 0 ? undefined : end)
      .join(' ')
      .slice(0, 1_000),
    body: body.join('\n'),
    trailers: trailersOf(lastParagraph(body)),
  };
}

/** Trailers that tools read wherever they stand: in the cover, below `---`, after the diff. */
const seriesTrailer =
  /^(?:base-commit|prerequisite-patch-id|prerequisite-change-id|prerequisite-message-id|change-id|depends-on|base-tree|base-branch): \S/i;

const trailer = /^([A-Za-z][A-Za-z0-9-]{0,60}): {0,20}(\S.{0,2000})$/;

/** A repeated trailer holds one value a line. */
function trailersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  const values = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const line of lines) {
    const [, name, value] = trailer.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const known = values.get(name.toLowerCase());
    if (known === undefined) values.set(name.toLowerCase(), { name, values: [value] });
    else known.values.push(value);
  }
  return Object.fromEntries(Array.from(values.values(), (entry) => [entry.name, entry.values.join('\n')]));
}

function lastParagraph(lines: readonly string[]): readonly string[] {
  return lines.slice(lines.lastIndexOf('') + 1);
}

function inBodyHeaders(lines: readonly string[]): {
  readonly inBody: ReadonlyMap<string, string>;
  readonly start: number;
} {
  const inBody = new Map<string, string>();
  let at = lines.findIndex((line) => line !== '');
  if (at < 0) return { inBody, start: 0 };
  const first = at;
  let name: string | null = null;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const found = /^(from|subject|date|author): {0,20}(\S.{0,2000})$/i.exec(line);
    if (found?.[1] !== undefined && found[2] !== undefined) {
      name = found[1].toLowerCase();
      if (!inBody.has(name)) inBody.set(name, found[2]);
    } else if (name !== null && /^[ \t]/.test(line)) {
      inBody.set(name, `${inBody.get(name) ?? ''} ${line.trim()}`);
    } else {
      break;
    }
  }
  return { inBody, start: inBody.size === 0 ? first : at };
}

/** A perforation of dashes with scissors on it, as git reads it: nothing else but spaces and words `cut here`. */
export function isScissors(line: string): boolean {
  if (line.length > 200 || line.startsWith('>') || !/(?:>8|8<|>%|%<)/.test(line)) return false;
  const perforation = line.replace(/>8|8<|>%|%<|cut here/gi, '');
  return /^[-\s]*$/.test(perforation) && (perforation.match(/-/g)?.length ?? 0) >= 2;
}

function trimBlank(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => line !== '');
  if (start < 0) return [];
  return lines.slice(start, lines.findLastIndex((line) => line !== '') + 1);
}
