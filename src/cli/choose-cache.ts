import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { VERSION } from '#review/version.js';
import { type Cache, openCache } from '#source/cache-folder.js';

/**
 * What is kept between runs, in the user's cache folder as the XDG base directories say; null where it is not wanted or
 * there is no such folder. Reports do not depend on it.
 */
export function chooseCache(isWanted: boolean, env: NodeJS.ProcessEnv): Cache | null {
  const folder = isWanted ? cacheFolder(env) : null;
  return folder === null ? null : openCache(folder, VERSION);
}

/** A relative XDG_CACHE_HOME is to be ignored. */
function cacheFolder({ XDG_CACHE_HOME: named, HOME: home }: NodeJS.ProcessEnv): string | null {
  if (named !== undefined && isAbsolute(named)) return join(named, 'shootdown');
  const base = home || homedir();
  return isAbsolute(base) ? join(base, '.cache', 'shootdown') : null;
}
