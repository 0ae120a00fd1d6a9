import { SourceError, type Tree } from './snapshot.js';

/** Throws SourceError `not-a-kernel` unless the tree's top looks like a kernel's. */
export function requireKernel(tree: Tree, where: string): void {
  const makefile = tree.read('Makefile') ?? '';
  const hasVersion = /^VERSION\s*=/m.test(makefile) && /^PATCHLEVEL\s*=/m.test(makefile);
  const top = tree.list('');
  if (hasVersion && (top.includes('mm/') || top.includes('Kconfig'))) return;
  const reason =
    makefile === ''
      ? 'no Makefile'
      : hasVersion
        ? 'neither mm/ nor Kconfig'
        : 'its Makefile has no VERSION and PATCHLEVEL';
  throw new SourceError('not-a-kernel', `${where}: not the top of a kernel tree (${reason})`);
}
