/** Pieces of Markdown that hold the text of others without being steered by it. */
import { cleanLine } from './clean-text.js';

/** Text of others in Markdown: no tags, links, mentions or emphasis come from it. */
export function plain(text: string): string {
  return cleanLine(text)
    .replace(/[\\`*_[\]#|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;');
}

/** A code span that holds back-quotes too. */
export function code(text: string): string {
  const clean = cleanLine(text);
  if (!clean.includes('`')) return `\`${clean}\``;
  const marks = '`'.repeat(longestRun(clean) + 1);
  return `${marks} ${clean} ${marks}`;
}

/** A code block whose fence is longer than any in its body. */
export function fenced(language: string, body: readonly string[]): readonly string[] {
  const marks = '`'.repeat(Math.max(3, longestRun(body.join('\n')) + 1));
  return [marks + language, ...body, marks];
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map((m) => m[0].length));
}
