/** Texts for GitHub, which refuses a text that is too long as a whole: cut between two sections, and said so. */

/** GitHub takes 65,536 characters in a comment and 65,535 in a check run; some room is left for what is added. */
export const MOST_TEXT = 60_000;

/**
 * `head`, then as many whole sections as fit, then `rest` about the others where some are left out.
 *
 * @param rest gets how many sections are left out
 */
export function cutSections(
  head: string,
  sections: readonly string[],
  rest: (left: number) => string,
  most: number = MOST_TEXT,
): string {
  const note = rest(sections.length);
  let text = head;
  for (const [index, section] of sections.entries()) {
    const isLast = index === sections.length - 1;
    if (text.length + section.length + (isLast ? 0 : note.length + 1) > most)
      return `${text}${rest(sections.length - index)}\n`;
    text += section;
  }
  return text;
}
