/** Reads a review back from its JSON, version 1. */
import { z } from 'zod';
import { HAZARD_IDS } from '#rules/compile-hazard.js';
import type { ReviewDocument } from './document.js';

/** The text is no review. */
class DocumentError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DocumentError';
  }
}

const side = z.enum(['new', 'old']);
const count = z.number().nonnegative();
const address = z.object({ name: z.string(), address: z.string() });
const related = z.object({
  file: z.string(),
  side,
  line: count,
  what: z.string(),
  text: z.string().exactOptional(),
});
const step = z.object({
  cpu: count,
  who: z.string(),
  what: z.string(),
  file: z.string().nullable(),
  line: count.nullable(),
  text: z.string().exactOptional(),
  changes: z.array(z.object({ what: z.string(), from: z.string(), to: z.string() })),
});
const texts = z.array(z.string());
const edit = z.object({
  file: z.string(),
  line: count,
  remove: count,
  insert: texts,
  removed: texts.exactOptional(),
  above: texts.exactOptional(),
  below: texts.exactOptional(),
});
const finding = z.object({
  fingerprint: z.string(),
  hazard: z.enum(HAZARD_IDS),
  status: z.enum(['introduced', 'fixed', 'existing']),
  severity: z.enum(['error', 'warning', 'note']),
  confidence: z.enum(['high', 'medium', 'low']),
  why: z.string(),
  file: z.string(),
  side,
  line: count,
  function: z.string(),
  message: z.string(),
  machines: z.array(z.string()),
  safeOn: z.array(z.string()),
  notBuiltOn: z.array(z.string()),
  related: z.array(related),
  trace: z.array(step),
  consequence: z.string(),
  assumptions: z.array(z.string()),
  closedBy: z.string().nullable(),
  suggestion: z
    .object({
      edits: z.array(edit),
      states: count,
      machines: z.array(z.string()),
    })
    .nullable(),
  suppressed: z.object({ by: z.enum(['suppression', 'baseline']), reason: z.string() }).exactOptional(),
});
const mail = z.object({
  subject: z.string(),
  from: address.nullable(),
  replyTo: z.array(address),
  to: z.array(address),
  cc: z.array(address),
  date: z.string().nullable(),
  inReplyTo: z.string().nullable(),
  references: z.array(z.string()),
  part: count.nullable(),
  of: count.nullable(),
});
const quotedFile = z.object({
  oldPath: z.string().nullable(),
  newPath: z.string().nullable(),
  hunks: z.array(
    z.object({
      oldStart: count,
      oldLines: count,
      newStart: count,
      newLines: count,
      heading: z.string(),
      lines: z.array(z.string()),
    }),
  ),
});
const shape: z.ZodType<ReviewDocument> = z.object({
  version: z.literal(1),
  tool: z.string(),
  patches: z.array(
    z.object({
      subject: z.string(),
      messageId: z.string().nullable(),
      commit: z.string().nullable(),
      files: z.array(z.string()),
      context: z.enum(['tree', 'hunks']),
      analysed: z.array(z.object({ function: z.string(), file: z.string() })),
      findings: z.array(finding),
      undecided: z.array(
        z.object({
          function: z.string(),
          file: z.string(),
          kind: z.enum(['parse', 'limit', 'resolve']),
          reason: z.string(),
        }),
      ),
      mail: mail.exactOptional(),
      diff: z.array(quotedFile).exactOptional(),
    }),
  ),
  stats: z.object({ functions: count, programs: count, states: count, milliseconds: count }),
  idleSuppressions: z
    .array(
      z.object({
        state: z.enum(['unused', 'expired']),
        hazard: z.enum(HAZARD_IDS),
        reason: z.string(),
        path: z.string().nullable(),
        function: z.string().nullable(),
        expires: z.string().nullable(),
        file: z.string(),
        line: count,
      }),
    )
    .exactOptional(),
});

/** Throws DocumentError, which names the first field that is wrong. Fields that version 1 does not know are dropped. */
export function readDocument(text: string, name: string): ReviewDocument {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new DocumentError(`${name}: is no JSON; write one with --format json`);
  }
  const read = shape.safeParse(data);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  const path = issue === undefined || issue.path.length === 0 ? 'the whole' : issue.path.join('.');
  throw new DocumentError(`${name}: is no review, version 1: ${path}: ${issue?.message ?? 'wrong'}`);
}
