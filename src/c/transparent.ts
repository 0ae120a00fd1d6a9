import type { Expression } from './syntax.js';

/** Macros of the kernel's C dialect whose value is that of their first argument. */
const TRANSPARENT = new Set([
  'likely',
  'unlikely',
  '__builtin_expect',
  'data_race',
  '__builtin_expect_with_probability',
]);

/** The argument that a call stands for, or null when the call is one. */
export function transparentArgument(node: Expression): Expression | null {
  if (node.kind !== 'call' || node.callee.kind !== 'name' || !TRANSPARENT.has(node.callee.name)) return null;
  return node.args[0] ?? null;
}
