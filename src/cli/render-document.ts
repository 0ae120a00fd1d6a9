import type { ReviewDocument } from '#review/document.js';
import { readTerminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export const FORMATS = ['text', 'json', 'sarif', 'markdown', 'html', 'mail'] as const;
export type Format = (typeof FORMATS)[number];

/** Refuses a format early, before any work is done. Throws UsageError. */
export function requireFormat(format: Format): void {
  switch (format) {
    case 'text':
    case 'json':
    case 'markdown':
      return;
    case 'sarif':
    case 'html':
    case 'mail':
      throw new UsageError(`--format ${format} is not available yet; use text, json or markdown`);
  }
}

/** A document in a format. Colours go to terminals, never to files. */
export async function renderDocument(
  document: ReviewDocument,
  format: Format,
  output: string | null,
): Promise<string> {
  switch (format) {
    case 'text': {
      const { renderText } = await import('#report/render-text.js');
      const terminal = readTerminal(process.stdout, process.env);
      return renderText(document, output === null ? terminal : { color: false, width: 80 });
    }
    case 'json':
      return (await import('#report/render-json.js')).renderJson(document);
    case 'markdown':
      return (await import('#report/render-markdown.js')).renderMarkdown(document);
    case 'sarif':
    case 'html':
    case 'mail':
      throw new UsageError(`--format ${format} is not available yet; use text, json or markdown`);
  }
}
