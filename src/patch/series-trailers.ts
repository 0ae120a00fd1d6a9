import type { ReadMail } from './parse-mail.js';
import type { Patch } from './series.js';

/** Trailers that say something of a whole series, and stand in its cover where it has one. */
const ofSeries =
  /^(?:base-commit|base-tree|base-branch|change-id|prerequisite-patch-id|prerequisite-change-id|prerequisite-message-id|depends-on)$/i;

/**
 * Gives the parts of a series the trailers of its cover, so that what a cover says is known where the cover is gone.
 *
 * @param sameSeries a name for the thread and version of a mail
 */
export function withCoverTrailers(
  mails: readonly ReadMail[],
  sameSeries: (mail: ReadMail) => string,
): ReadonlyMap<ReadMail, ReadMail> {
  const covers = new Map<string, Readonly<Record<string, string>>>();
  for (const mail of mails)
    if (mail.patch.part === 0) covers.set(sameSeries(mail), seriesTrailers(mail.patch.trailers));
  return new Map(
    mails.map((mail) => {
      const trailers = mail.patch.part === 0 ? undefined : covers.get(sameSeries(mail));
      return [
        mail,
        trailers === undefined || mail.patch.part === null
          ? mail
          : { ...mail, patch: { ...mail.patch, trailers: { ...trailers, ...mail.patch.trailers } } },
      ];
    }),
  );
}

function seriesTrailers(trailers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(trailers).filter(([name]) => ofSeries.test(name)));
}

/** Value of a trailer, whatever the case of its name; null when there is none. */
export function trailerOf(patch: Patch, name: string): string | null {
  const wanted = name.toLowerCase();
  const found = Object.entries(patch.trailers).find(([key]) => key.toLowerCase() === wanted);
  return found?.[1] ?? null;
}

/** What a patch says that it builds on. */
interface Prerequisites {
  /** Ids of mails, from `prerequisite-message-id:` and `Depends-on:`. */
  readonly messageIds: readonly string[];
  /** b4's names of series, without the version. */
  readonly changeIds: readonly string[];
  /** How many patches `git format-patch --base` lists below the base commit. */
  readonly patchIds: number;
}

function prerequisitesOf(patch: Patch): Prerequisites {
  const lines = (name: string): string[] => trailerOf(patch, name)?.split('\n') ?? [];
  return {
    messageIds: [...lines('prerequisite-message-id'), ...lines('depends-on')].flatMap(messageIdIn),
    changeIds: lines('prerequisite-change-id').map((id) => id.replace(/:v\d{1,4}$/, '').trim()),
    patchIds: lines('prerequisite-patch-id').length,
  };
}

/** An id in brackets, at the end of an archive's address, or alone. */
function messageIdIn(value: string): string[] {
  const found =
    /<([^<>\s]{1,998}@[^<>\s]{1,998})>/.exec(value) ??
    /^https?:\/\/[^\s/]{1,200}\/(?:[^\s/]{1,200}\/){0,5}([^\s/@]{1,900}@[^\s/@]{1,200})\/?$/.exec(value) ??
    /^([^\s/@]{1,900}@[^\s/@]{1,200})$/.exec(value);
  return found?.[1] === undefined ? [] : [found[1]];
}

/**
 * Puts each series after those that it builds on, and says which of these are not there. Series that do not build on one
 * another keep their order.
 *
 * @param mails all mails of the input, covers too
 */
export function inOrderOfNeed<T>(
  families: readonly T[],
  patchesOf: (family: T) => readonly Patch[],
  mails: readonly ReadMail[],
  sameSeries: (mail: ReadMail) => string,
): { readonly ordered: readonly T[]; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const homes = homesOf(families, patchesOf, mails, sameSeries);
  const needsOf = (family: T): { readonly needed: T[]; readonly note: string | null } => {
    const needed: T[] = [];
    const absent = new Set<string>();
    let patchIds = 0;
    for (const patch of patchesOf(family)) {
      const needs = prerequisitesOf(patch);
      patchIds = Math.max(patchIds, needs.patchIds);
      for (const key of [...needs.messageIds.map((id) => `<${id}>`), ...needs.changeIds]) {
        const home = homes.get(key);
        if (home === undefined) absent.add(key);
        else needed.push(home);
      }
    }
    const title = patchesOf(family)[0]?.subject ?? '';
    const builds = `"${title}" says that it builds on`;
    if (absent.size > 0)
      return { needed, note: `${builds} ${[...absent].slice(0, 5).join(', ')}, not in the input` };
    // An id of a patch cannot be told from here to be one of the input's, unless nothing else is in it.
    const isAlone = patchIds > 0 && families.length === 1;
    const earlier = `${patchIds} earlier ${patchIds === 1 ? 'patch' : 'patches'}`;
    return { needed, note: isAlone ? `${builds} ${earlier}, not in the input` : null };
  };
  const ordered: T[] = [];
  const entered = new Set<T>();
  // Depth first without recursion: a mail box may hold a chain of thousands.
  for (const first of families) {
    const open: { readonly family: T; readonly left: T[]; readonly note: string | null }[] = [];
    const enter = (family: T): void => {
      if (entered.has(family)) return;
      entered.add(family);
      const { needed, note } = needsOf(family);
      open.push({ family, left: needed.reverse(), note });
    };
    enter(first);
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.left.pop();
      if (next !== undefined) {
        enter(next);
        continue;
      }
      ordered.push(top.family);
      if (top.note !== null) notes.push(top.note);
      open.pop();
    }
  }
  return { ordered, notes };
}

function homesOf<T>(
  families: readonly T[],
  patchesOf: (family: T) => readonly Patch[],
  mails: readonly ReadMail[],
  sameSeries: (mail: ReadMail) => string,
): ReadonlyMap<string, T> {
  const homes = new Map<string, T>();
  const series = new Map<string, T>();
  const known = new Map(mails.map((mail) => [mail.patch.messageId, mail]));
  for (const family of families) {
    for (const patch of patchesOf(family)) {
      if (patch.messageId !== null) homes.set(`<${patch.messageId}>`, family);
      const change = trailerOf(patch, 'change-id');
      if (change !== null) homes.set(change, family);
      const mail = patch.messageId === null ? undefined : known.get(patch.messageId);
      if (mail !== undefined && patch.part !== null) series.set(sameSeries(mail), family);
    }
  }
  // A cover stands for its series.
  for (const mail of mails) {
    const home = mail.patch.part === 0 ? series.get(sameSeries(mail)) : undefined;
    if (home !== undefined && mail.patch.messageId !== null) homes.set(`<${mail.patch.messageId}>`, home);
  }
  return homes;
}
