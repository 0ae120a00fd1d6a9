import { stat } from 'node:fs/promises';
import type { ReviewDocument } from '#review/document.js';
import type { HazardPage } from '#rules/rule.js';
import { readTerminal } from './terminal.js';
import type { OutputFile } from './write-output.js';

export const FORMATS = ['text', 'json', 'sarif', 'markdown', 'html', 'mail'] as const;
export type Format = (typeof FORMATS)[number];

/** A review in some format, ready to be written. */
export interface Report {
  readonly text: string;
  /** Set where the output is a folder: its files, instead of the text. */
  readonly files?: readonly OutputFile[];
  /** Lines for stderr. */
  readonly notes: readonly string[];
}

/** `pages` explain the hazards, for formats that do. */
export type Renderer = (document: ReviewDocument, pages: readonly HazardPage[]) => Report;

export interface RenderFlags {
  readonly format: Format;
  readonly output?: string;
  /** Who replies; `mail` only. */
  readonly from?: string;
}

/**
 * What turns a document into the format that was asked for; asked for before any work is done, so that a mistake in
 * the options is said at once. Colours and the terminal's width go to stdout only, never to a file. Throws UsageError.
 */
export async function chooseRenderer(flags: RenderFlags): Promise<Renderer> {
  const plain =
    (render: (document: ReviewDocument, pages: readonly HazardPage[]) => string): Renderer =>
    (document, pages) => ({ text: render(document, pages), notes: [] });
  switch (flags.format) {
    case 'text': {
      const { renderText } = await import('#report/render-text.js');
      const terminal =
        flags.output === undefined ? readTerminal(process.stdout, process.env) : { color: false, width: 80 };
      return plain((document) => renderText(document, terminal));
    }
    case 'json':
      return plain((await import('#report/render-json.js')).renderJson);
    case 'markdown':
      return plain((await import('#report/render-markdown.js')).renderMarkdown);
    case 'sarif':
      return plain((await import('#report/render-sarif.js')).renderSarif);
    case 'html':
      return plain((await import('#report/render-html.js')).renderHtml);
    case 'mail':
      return mailRenderer(flags);
  }
}

async function mailRenderer(flags: RenderFlags): Promise<Renderer> {
  const [{ renderMail, mailbox }, { readSender }] = await Promise.all([
    import('#report/render-mail.js'),
    import('./sender.js'),
  ]);
  const sender = await readSender(flags.from ?? null);
  const date = dateOfReports(process.env);
  const intoFolder = flags.output !== undefined && (await isFolder(flags.output));
  return (document) => {
    const replies = renderMail(document, { from: sender.address, date });
    const notes: string[] = [];
    if (replies.length === 0) notes.push('no reply to write: no patch brings in a finding');
    if (replies.length > 0) notes.push(...sender.notes);
    if (replies.some((r) => r.unthreaded))
      notes.push('a patch without Message-ID: the reply to it is no part of a thread');
    const closed = document.patches
      .flatMap((patch) => patch.findings)
      .filter((f) => f.status === 'introduced' && f.closedBy !== null).length;
    if (closed > 0)
      notes.push(`left out of the replies, since a later patch of the series closes it: ${closed}`);
    return {
      text: mailbox(replies),
      notes,
      ...(intoFolder ? { files: replies.map((r) => ({ name: r.fileName, text: r.text })) } : {}),
    };
  };
}

/** A folder is one that is there, or a name that ends in a slash. */
async function isFolder(output: string): Promise<boolean> {
  if (output.endsWith('/')) return true;
  return (await stat(output).catch(() => null))?.isDirectory() ?? false;
}

/** Now, or the moment that reproducible builds set (reproducible-builds.org/specs/source-date-epoch). */
function dateOfReports(env: Readonly<Record<string, string | undefined>>): Date {
  const seconds = Number(env.SOURCE_DATE_EPOCH);
  return env.SOURCE_DATE_EPOCH !== undefined && Number.isSafeInteger(seconds) && seconds >= 0
    ? new Date(seconds * 1000)
    : new Date();
}
