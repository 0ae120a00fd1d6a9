import type { ReadMail } from './parse-mail.js';
import type { Patch, PatchSeries } from './series.js';
import { inOrderOfNeed, trailerOf, withCoverTrailers } from './series-trailers.js';

/**
 * Makes one series of the mails of an input: newest version of each series only, in the order of their numbers, repeated
 * mails once. Single patches keep the order of the input. What is missing or left out is noted.
 */
export function chooseSeries(mails: readonly ReadMail[]): PatchSeries {
  const notes = mails.flatMap((mail) => mail.notes);
  const patches = withoutRepeats(mails.filter((mail) => mail.patch.files.length > 0));
  const skipped = mails.filter((mail) => mail.patch.files.length === 0 && mail.patch.part !== 0).length;
  if (skipped > 0 && patches.length > 0)
    notes.push(`${skipped} ${skipped === 1 ? 'mail' : 'mails'} without a patch of its own left out`);
  const threads = new Map(threadsOf(mails));
  const sameSeries = (mail: ReadMail): string =>
    JSON.stringify([threads.get(mail), mail.patch.version, mail.patch.of]);
  const covered = withCoverTrailers(mails, sameSeries);
  for (const [mail, known] of covered) threads.set(known, threads.get(mail) ?? '');
  const families = familiesOf(
    patches.map((mail) => covered.get(mail) ?? mail),
    threads,
  ).map((groups, _, all) => newest(groups, notes, all.length > 1));
  const { ordered, notes: needs } = inOrderOfNeed(families, (family) => family, mails, sameSeries);
  return { patches: ordered.flat(), notes: [...notes, ...needs] };
}

/** Mails of one series and one version. */
interface Group {
  readonly version: number;
  readonly of: number | null;
  readonly mails: ReadMail[];
}

function newest(groups: readonly Group[], notes: string[], isOneOfSeveral: boolean): Patch[] {
  const ordered = groups.toSorted((a, b) => b.version - a.version);
  const [latest, ...older] = ordered;
  if (latest === undefined) return [];
  const parts = new Map<number, ReadMail>();
  for (const mail of latest.mails) if (mail.patch.part !== null) parts.set(mail.patch.part, mail);
  // One part sent again in reply to the part it replaces stands in for that one alone; the rest is the older version's.
  const isReroll = latest.mails.some((mail) =>
    older.some((group) => group.mails.some((old) => repliesToPart(mail, old))),
  );
  const used = new Set<Group>([latest]);
  for (const group of isReroll ? older : []) {
    if (group.of !== latest.of) continue;
    for (const mail of group.mails) {
      if (mail.patch.part === null || parts.has(mail.patch.part)) continue;
      parts.set(mail.patch.part, mail);
      used.add(group);
    }
  }
  const title = latest.mails[0]?.tags.title ?? '';
  for (const group of ordered) {
    if (!used.has(group))
      notes.push(`version ${group.version} left out: version ${latest.version} of "${title}" is newer`);
    else if (group !== latest)
      notes.push(
        `parts that version ${latest.version} does not send again are taken from version ${group.version}`,
      );
  }
  if (parts.size === 0) return latest.mails.map((mail) => mail.patch);
  const of = latest.of ?? 0;
  const missing = Array.from({ length: Math.min(of, 1000) }, (_, index) => index + 1).filter(
    (part) => !parts.has(part),
  );
  // A series that has many parts missing is a single patch taken out of it; one line says so.
  if (missing.length > 0)
    notes.push(
      `incomplete series${isOneOfSeveral ? ` "${title}"` : ''}: ${missing.length === 1 ? 'part' : 'parts'} ${listed(missing)} of ${of} not in the input`,
    );
  return Array.from(parts)
    .toSorted(([a], [b]) => a - b)
    .map(([, mail]) => mail.patch);
}

function listed(numbers: readonly number[]): string {
  const shown = numbers.slice(0, 20).join(', ');
  return numbers.length > 20 ? `${shown}, …` : shown;
}

function repliesToPart(mail: ReadMail, old: ReadMail): boolean {
  return (
    mail.patch.inReplyTo !== null &&
    mail.patch.inReplyTo === old.patch.messageId &&
    mail.patch.part === old.patch.part
  );
}

/** A mail that came over two lists, or was sent again, counts once: the last one. */
function withoutRepeats(mails: readonly ReadMail[]): ReadMail[] {
  const byKey = new Map<string, ReadMail>();
  for (const [index, mail] of mails.entries()) {
    const { messageId } = mail.patch;
    byKey.set(messageId === null ? `#${index}` : `<${messageId}>`, mail);
  }
  return [...byKey.values()];
}

/** Groups that are versions of one series, in the order in which they first appear. */
function familiesOf(mails: readonly ReadMail[], threads: ReadonlyMap<ReadMail, string>): Group[][] {
  const groups: { group: Group; thread: string }[] = [];
  for (const mail of mails) {
    const { version, of, part } = mail.patch;
    const thread = threads.get(mail) ?? '';
    const found = groups.find(
      ({ group, thread: other }) =>
        thread === other &&
        group.version === version &&
        group.of === of &&
        part !== null &&
        !hasOther(group, mail),
    );
    if (found === undefined) groups.push({ thread, group: { version, of, mails: [mail] } });
    else found.group.mails.push(mail);
  }
  const families: { groups: Group[]; titles: Set<string> }[] = [];
  for (const { group } of groups) {
    const titles = group.mails.flatMap(identities);
    const same = families.find(
      (family) =>
        titles.some((title) => family.titles.has(title)) &&
        !family.groups.some((other) => clashes(other, group)),
    );
    if (same === undefined) families.push({ groups: [group], titles: new Set(titles) });
    else {
      const resent = same.groups.find((other) => other.version === group.version && other.of === group.of);
      if (resent === undefined) same.groups.push(group);
      else resent.mails.push(...group.mails);
      for (const title of titles) same.titles.add(title);
    }
  }
  return families.map((family) => family.groups.map(dropResent));
}

/**
 * Two unnumbered patches of one version may have one title and both be meant (a change and its revert), unless they are
 * the same patch or the later is marked as sent again.
 */
function clashes(a: Group, b: Group): boolean {
  return (
    a.of === null &&
    b.of === null &&
    a.version === b.version &&
    !b.mails.every((mail) => a.mails.some((old) => isResent(old, mail)))
  );
}

function isResent(old: ReadMail, mail: ReadMail): boolean {
  return mail.tags.isResend || old.digest === mail.digest;
}

/** Of unnumbered patches that were sent again only the last counts. */
function dropResent(group: Group): Group {
  if (group.of !== null) return group;
  return { ...group, mails: group.mails.slice(-1) };
}

function hasOther(group: Group, mail: ReadMail): boolean {
  return group.mails.some(
    (other) => other.patch.part === mail.patch.part && other.tags.title !== mail.tags.title,
  );
}

function identities(mail: ReadMail): string[] {
  const title = mail.tags.title.toLowerCase().replace(/\s+/g, ' ').trim();
  const change = trailerOf(mail.patch, 'change-id');
  return [...(title === '' ? [] : [`t ${title}`]), ...(change === null ? [] : [`c ${change}`])];
}

/**
 * A name for the thread of each mail: the mails that references join. A mail that nothing joins to another, as quilt
 * sends them, belongs to its author's.
 */
function threadsOf(mails: readonly ReadMail[]): ReadonlyMap<ReadMail, string> {
  const parents = new Map<string, string>();
  const root = (id: string): string => {
    let at = id;
    for (let next = parents.get(at); next !== undefined && next !== at; next = parents.get(at)) at = next;
    parents.set(id, at);
    return at;
  };
  const ids = (mail: ReadMail): string[] =>
    [mail.patch.messageId, mail.patch.inReplyTo, ...mail.patch.references].filter((id) => id !== null);
  for (const mail of mails) {
    const [first, ...rest] = ids(mail);
    if (first === undefined) continue;
    for (const other of rest) parents.set(root(other), root(first));
  }
  const sizes = new Map<string, number>();
  const rootOf = (mail: ReadMail): string | null => {
    const [first] = ids(mail);
    return first === undefined ? null : root(first);
  };
  for (const mail of mails) {
    const found = rootOf(mail);
    if (found !== null) sizes.set(found, (sizes.get(found) ?? 0) + 1);
  }
  return new Map(
    mails.map((mail) => {
      const found = rootOf(mail);
      return [mail, found !== null && (sizes.get(found) ?? 0) > 1 ? found : `by ${mail.patch.author ?? ''}`];
    }),
  );
}
