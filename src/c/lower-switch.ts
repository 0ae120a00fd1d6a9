/** switch: the body's blocks first, then the chain of comparisons that leads into them. */
import type { BlockId, Operand } from './ir.js';
import type { Lowering } from './lowering.js';
import type { Statement } from './syntax.js';

type Of<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;
type Case = Lowering['switches'][number][number];

export function lowerSwitch(l: Lowering, node: Of<'switch'>): void {
  l.begin(node.value);
  const value = l.expression(node.value);
  const head = l.graph.newBlock();
  const exit = l.graph.newBlock();
  l.graph.jump(head);
  // Nothing reaches the statements before the first case.
  const before = l.graph.newBlock();
  l.enterSealed(before);
  const cases: Case[] = [];
  l.switches.push(cases);
  l.breaks.push({ block: exit, depth: l.depth });
  l.statement(node.body);
  l.breaks.pop();
  l.switches.pop();
  l.graph.jump(exit);
  l.enterSealed(head);
  let otherwise: BlockId = exit;
  for (const entry of cases) {
    if (!entry.from) {
      otherwise = entry.block;
      continue;
    }
    lowerCase(l, value, entry);
  }
  l.graph.jump(otherwise);
  for (const entry of cases) l.graph.seal(entry.block);
  l.enterSealed(exit);
}

function lowerCase(l: Lowering, value: Operand, entry: Case): void {
  if (!entry.from) return;
  const next = l.graph.newBlock();
  l.begin(entry.from);
  l.graph.text = `case ${l.text(entry.from)}${entry.to ? ` ... ${l.text(entry.to)}` : ''}`;
  const from = l.expression(entry.from);
  if (entry.to) {
    const upper = l.graph.newBlock();
    l.graph.branch(l.binary('>=', value, from), upper, next, l.graph.line, l.graph.text);
    l.enterSealed(upper);
    const to = l.expression(entry.to);
    l.graph.branch(l.binary('<=', value, to), entry.block, next, l.graph.line, l.graph.text);
  } else {
    l.graph.branch(l.binary('==', value, from), entry.block, next, l.graph.line, l.graph.text);
  }
  l.enterSealed(next);
}

/** `case X:` or `default:` inside the body: what stands before falls through into it. */
export function lowerCaseLabel(l: Lowering, node: Of<'case'>): void {
  const cases = l.switches[l.switches.length - 1];
  if (!cases) return;
  const block = l.graph.newBlock();
  l.graph.jump(block);
  l.graph.enter(block);
  cases.push({ from: node.from, to: node.to, block });
}
