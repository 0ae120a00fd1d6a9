/** Building blocks of the page: text can never become markup. */
import { cleanLine, cleanSource } from './clean-text.js';

/** Text of others, on one line. */
export function escapeText(text: string): string {
  return escapeRaw(cleanLine(text));
}

/** A line of source: blanks stay. */
export function escapeCode(text: string): string {
  return escapeRaw(cleanSource(text));
}

function escapeRaw(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** JSON that may stand inside a script element. */
export function scriptJson(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', '\\u003c').replaceAll('\u2028', '').replaceAll('\u2029', '');
}

/** What the pages of hazards are written in: headings, paragraphs, lists, fenced code, `code`. */
export function pageHtml(markdown: string, level: number): string {
  const out: string[] = [];
  const inline = (text: string): string =>
    escapeText(text).replace(/`([^`]+)`/g, (_, code: string) => `<code>${code}</code>`);
  const blocks = markdown.split(/(^```[a-z]*\n[\s\S]*?^```$)/m);
  for (const block of blocks) {
    const fenced = /^```[a-z]*\n([\s\S]*?)\n?```$/.exec(block)?.[1];
    if (fenced !== undefined) {
      out.push(`<pre tabindex="0"><code>${fenced.split('\n').map(escapeCode).join('\n')}</code></pre>`);
      continue;
    }
    for (const part of block.split(/\n{2,}/)) {
      const text = part.trim();
      const heading = /^(#+) (.*)$/.exec(text);
      if (text === '') continue;
      if (heading !== null) {
        const n = Math.min(6, level + (heading[1]?.length ?? 1) - 1);
        out.push(`<h${n}>${inline(heading[2] ?? '')}</h${n}>`);
      } else if (text.startsWith('- ')) {
        const items = text.slice(2).split(/\n- /);
        out.push(`<ul>${items.map((item) => `<li>${inline(item)}</li>`).join('')}</ul>`);
      } else out.push(`<p>${inline(text)}</p>`);
    }
  }
  return out.join('\n');
}
