/** What the brackets before a subject say. */
export interface SubjectTags {
  /** `Re:`, `Fwd:` and the like stand before it. */
  readonly isReply: boolean;
  readonly isPull: boolean;
  readonly isResend: boolean;
  /** One of the tags says that this is a patch, or numbers it. */
  readonly isPatch: boolean;
  readonly version: number;
  readonly part: number | null;
  readonly of: number | null;
  /** Without reply marks and brackets. */
  readonly title: string;
}

/**
 * Reads prefixes as lists write them: `[PATCH v3 02/11]`, `[RFC,v2,20/20]`, `[PATCH net-next v2 1/4]`, `[PATCH 1 of 3]`,
 * `[PATCHv2 1/8]`, `[PATCH1/8]`, `[PATCH] [v2]`.
 */
export function parseSubject(subject: string): SubjectTags {
  let rest = subject.trim();
  let isReply = false;
  let isResend = false;
  for (let mark = replyMark(rest); mark > 0; mark = replyMark(rest)) {
    isReply = true;
    rest = rest.slice(mark).trimStart();
  }
  let [isPull, isPatch, version, part, of]: [boolean, boolean, number, number | null, number | null] = [
    false,
    false,
    1,
    null,
    null,
  ];
  for (let end = rest.indexOf(']'); rest.startsWith('[') && end > 0 && end < 200; end = rest.indexOf(']')) {
    const tags = rest.slice(1, end);
    rest = rest.slice(end + 1).trimStart();
    isPull ||= /\bgit\s{0,5}pull\b|\bpull\b/i.test(tags);
    isResend ||= /resend|repost/i.test(tags);
    isPatch ||= /patch|\brfc\b/i.test(tags);
    const found = /(?:^|[\s,]|patch|rfc)v(\d{1,4})(?![\w.])/i.exec(tags);
    if (found !== null) version = Math.max(1, Number(found[1]));
    const numbers =
      /(?:^|[^\w./]|patch|rfc|v\d{1,4}[ ,])(\d{1,4})\s{0,3}(?:\/|\bof\b)\s{0,3}(\d{1,4})(?![\w/.])/i.exec(
        tags,
      );
    if (numbers !== null) [isPatch, part, of] = [true, Number(numbers[1]), Number(numbers[2])];
  }
  return { isReply, isPull, isResend, isPatch, version, part, of, title: rest };
}

function replyMark(text: string): number {
  return /^(?:re|fwd?|aw|sv|antw)(?:\[\d{1,3}\])?\s{0,3}:/i.exec(text)?.[0].length ?? 0;
}
