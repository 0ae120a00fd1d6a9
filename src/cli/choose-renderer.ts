import type { ReviewDocument } from '#review/document.js';
import { readTerminal } from './terminal.js';
import { UsageError } from './usage-error.js';

export const FORMATS = ['text', 'json', 'sarif', 'markdown', 'html', 'mail'] as const;
export type Format = (typeof FORMATS)[number];

/**
 * What turns a document into `format`; asked for before any work is done, so that an unavailable one is refused at
 * once. Colours and the terminal's width go to stdout only, never to a file. Throws UsageError.
 */
export async function chooseRenderer(
  format: Format,
  output: string | null,
): Promise<(document: ReviewDocument) => string> {
  switch (format) {
    case 'text': {
      const { renderText } = await import('#report/render-text.js');
      const terminal =
        output === null ? readTerminal(process.stdout, process.env) : { color: false, width: 80 };
      return (document) => renderText(document, terminal);
    }
    case 'json':
      return (await import('#report/render-json.js')).renderJson;
    case 'markdown':
      return (await import('#report/render-markdown.js')).renderMarkdown;
    case 'sarif':
      return (await import('#report/render-sarif.js')).renderSarif;
    case 'html':
    case 'mail':
      throw new UsageError(`--format ${format} is not available yet; use text, json, sarif or markdown`);
  }
}
