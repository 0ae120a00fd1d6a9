import type {
  Finding,
  IdleSuppression,
  MailAddress,
  MailOrigin,
  QuotedFile,
  RelatedLine,
  ReviewDocument,
  ReviewedPatch,
  TraceLine,
} from '#review/document.js';

/**
 * The document as JSON, version 1: keys in the published order whatever order they were built in, two blanks of
 * indentation, a newline at the end.
 */
export function renderJson(document: ReviewDocument): string {
  const { version, tool, patches, stats, idleSuppressions } = document;
  const { functions, programs, states, milliseconds } = stats;
  const ordered: ReviewDocument = {
    version,
    tool,
    patches: patches.map(orderPatch),
    stats: { functions, programs, states, milliseconds },
    ...(idleSuppressions === undefined ? {} : { idleSuppressions: idleSuppressions.map(orderIdle) }),
  };
  return `${JSON.stringify(ordered, null, 2)}\n`;
}

function orderPatch(patch: ReviewedPatch): ReviewedPatch {
  const { subject, messageId, commit, files, context } = patch;
  return {
    subject,
    messageId,
    commit,
    files,
    context,
    analysed: patch.analysed.map((a) => ({ function: a.function, file: a.file })),
    findings: patch.findings.map(orderFinding),
    undecided: patch.undecided.map((u) => ({
      function: u.function,
      file: u.file,
      kind: u.kind,
      reason: u.reason,
    })),
    ...(patch.mail === undefined ? {} : { mail: orderMail(patch.mail) }),
    ...(patch.diff === undefined ? {} : { diff: patch.diff.map(orderFile) }),
  };
}

function orderMail(m: MailOrigin): MailOrigin {
  const order = ({ name, address }: MailAddress): MailAddress => ({ name, address });
  return {
    subject: m.subject,
    from: m.from === null ? null : order(m.from),
    replyTo: m.replyTo.map(order),
    to: m.to.map(order),
    cc: m.cc.map(order),
    date: m.date,
    inReplyTo: m.inReplyTo,
    references: m.references,
    part: m.part,
    of: m.of,
  };
}

function orderFile({ oldPath, newPath, hunks }: QuotedFile): QuotedFile {
  return {
    oldPath,
    newPath,
    hunks: hunks.map((h) => ({
      oldStart: h.oldStart,
      oldLines: h.oldLines,
      newStart: h.newStart,
      newLines: h.newLines,
      heading: h.heading,
      lines: h.lines,
    })),
  };
}

function orderFinding(f: Finding): Finding {
  return {
    fingerprint: f.fingerprint,
    hazard: f.hazard,
    status: f.status,
    severity: f.severity,
    confidence: f.confidence,
    why: f.why,
    file: f.file,
    side: f.side,
    line: f.line,
    function: f.function,
    message: f.message,
    machines: f.machines,
    safeOn: f.safeOn,
    notBuiltOn: f.notBuiltOn,
    related: f.related.map(orderRelated),
    trace: f.trace.map(orderStep),
    consequence: f.consequence,
    assumptions: f.assumptions,
    closedBy: f.closedBy,
    suggestion:
      f.suggestion === null
        ? null
        : {
            edits: f.suggestion.edits.map((e) => ({
              file: e.file,
              line: e.line,
              remove: e.remove,
              insert: e.insert,
              ...(e.removed === undefined ? {} : { removed: e.removed }),
              ...(e.above === undefined ? {} : { above: e.above }),
              ...(e.below === undefined ? {} : { below: e.below }),
            })),
            states: f.suggestion.states,
            machines: f.suggestion.machines,
          },
    ...(f.suppressed === undefined
      ? {}
      : { suppressed: { by: f.suppressed.by, reason: f.suppressed.reason } }),
  };
}

function orderIdle(s: IdleSuppression): IdleSuppression {
  return {
    state: s.state,
    hazard: s.hazard,
    reason: s.reason,
    path: s.path,
    function: s.function,
    expires: s.expires,
    file: s.file,
    line: s.line,
  };
}

function orderRelated(r: RelatedLine): RelatedLine {
  return {
    file: r.file,
    side: r.side,
    line: r.line,
    what: r.what,
    ...(r.text === undefined ? {} : { text: r.text }),
  };
}

function orderStep(s: TraceLine): TraceLine {
  return {
    cpu: s.cpu,
    who: s.who,
    what: s.what,
    file: s.file,
    line: s.line,
    ...(s.text === undefined ? {} : { text: s.text }),
    changes: s.changes.map((c) => ({ what: c.what, from: c.from, to: c.to })),
  };
}
