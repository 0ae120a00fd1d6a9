/** goto, labels, break, continue, return: each leaves scopes, and scopes may have to clean up. */
import type { Lowering } from './lowering.js';
import type { Statement } from './syntax.js';

type Of<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;

export function lowerGoto(l: Lowering, node: Of<'goto'>): void {
  const target = l.survey.labels.get(node.label);
  if (target === undefined) {
    l.graph.stop();
    return;
  }
  l.cleanUp(l.depthAt(target));
  l.graph.jump(l.label(node.label));
}

export function lowerLabel(l: Lowering, node: Of<'label'>): void {
  const block = l.label(node.name);
  l.graph.jump(block);
  l.graph.enter(block);
}

export function lowerBreak(l: Lowering): void {
  leaveTo(l, l.breaks[l.breaks.length - 1]);
}

export function lowerContinue(l: Lowering): void {
  leaveTo(l, l.continues[l.continues.length - 1]);
}

function leaveTo(l: Lowering, target: Lowering['breaks'][number] | undefined): void {
  if (!target) {
    // A macro's body may break out of the caller's loop.
    l.graph.return(null);
    return;
  }
  l.cleanUp(target.depth);
  l.graph.jump(target.block);
}

export function lowerReturn(l: Lowering, node: Of<'return'>): void {
  const value = node.value ? l.expression(node.value) : null;
  l.cleanUp(0);
  l.mark(node);
  l.graph.return(value);
}
