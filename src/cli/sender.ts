import { execFile } from 'node:child_process';
import type { MailAddress } from '#review/document.js';
import { UsageError } from './usage-error.js';

/**
 * Who a reply is from: what the user named, else what git would sign a commit with. Without either a placeholder, with
 * a note, since the reply can still be read. Throws UsageError for a name that is no address.
 */
export async function readSender(
  named: string | null,
): Promise<{ readonly address: MailAddress; readonly notes: readonly string[] }> {
  if (named !== null) return { address: parseAddress(named), notes: [] };
  const name = process.env.GIT_AUTHOR_NAME ?? (await gitConfig('user.name')) ?? '';
  const address = process.env.GIT_AUTHOR_EMAIL ?? (await gitConfig('user.email')) ?? '';
  if (isAddress(address)) return { address: { name, address }, notes: [] };
  return {
    address: { name: 'shootdown', address: 'shootdown@localhost' },
    notes: ['git knows no user.email: name the sender with --from, or change From before you send'],
  };
}

function parseAddress(text: string): MailAddress {
  const [, name = '', inside] = /^([^<>]*)<([^<>]*)>$/.exec(text.trim()) ?? [];
  const address = (inside ?? text).trim();
  if (!isAddress(address)) throw new UsageError(`--from ${text}: write it as Name <address>`);
  return { name: inside === undefined ? '' : name.trim().replace(/^"(.*)"$/, '$1'), address };
}

function isAddress(text: string): boolean {
  return /^[^\s<>,;:"()@]+@[^\s<>,;:"()@]+$/.test(text);
}

function gitConfig(key: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile('git', ['config', '--get', key], (error, stdout) => {
      const value = stdout.trim();
      resolve(error === null && value !== '' ? value : null);
    });
  });
}
