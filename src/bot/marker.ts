/**
 * The hidden mark on everything the app posts: it says which finding a comment is about and whether the text is still
 * the one the app would write, so that nothing is posted twice or edited without need.
 */
import { createHash } from 'node:crypto';

export interface Marker {
  /** `review` marks a review's body, everything else is a finding's key. */
  readonly key: string;
  readonly state: 'open' | 'fixed';
  readonly hash: string;
}

/** `text` with its marker before it. */
export function withMarker(key: string, state: Marker['state'], text: string): string {
  return `<!-- shootdown ${key} ${state} ${hashOf(text)} -->\n${text}`;
}

export function readMarker(body: string): Marker | null {
  const match = /^<!-- shootdown ([a-z0-9#-]{1,64}) (open|fixed) ([0-9a-f]{16}) -->/.exec(body);
  const [, key, state, hash] = match ?? [];
  if (key === undefined || hash === undefined || (state !== 'open' && state !== 'fixed')) return null;
  return { key, state, hash };
}

/** The text without its marker. */
export function withoutMarker(body: string): string {
  return body.replace(/^<!-- shootdown [^\n]*-->\r?\n?/, '');
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
