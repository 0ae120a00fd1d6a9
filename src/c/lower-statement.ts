/** Statements: hands each construct to its file. */
import { declareThroughMacro, lowerDeclaration } from './lower-declaration.js';
import { lowerBreak, lowerContinue, lowerGoto, lowerLabel, lowerReturn } from './lower-jump.js';
import { lowerDo, lowerFor, lowerMacroStatement, lowerWhile } from './lower-loop.js';
import { lowerCaseLabel, lowerSwitch } from './lower-switch.js';
import type { Lowering } from './lowering.js';
import type { Statement } from './syntax.js';

export function lowerStatement(l: Lowering, node: Statement): void {
  switch (node.kind) {
    case 'expression':
      l.begin(node);
      l.expression(node.value);
      return;
    case 'declaration':
      l.begin(node);
      lowerDeclaration(l, node);
      return;
    case 'block':
      lowerBlock(l, node);
      return;
    case 'if':
      lowerIf(l, node);
      return;
    case 'while':
      lowerWhile(l, node);
      return;
    case 'do':
      lowerDo(l, node);
      return;
    case 'for':
      lowerFor(l, node);
      return;
    case 'macro':
      lowerMacroStatement(l, node);
      return;
    case 'switch':
      lowerSwitch(l, node);
      return;
    case 'case':
      lowerCaseLabel(l, node);
      return;
    case 'label':
      lowerLabel(l, node);
      return;
    case 'goto':
      l.begin(node);
      lowerGoto(l, node);
      return;
    case 'break':
      l.begin(node);
      lowerBreak(l);
      return;
    case 'continue':
      l.begin(node);
      lowerContinue(l);
      return;
    case 'return':
      l.begin(node);
      lowerReturn(l, node);
      return;
    case 'empty':
      return;
  }
}

function lowerBlock(l: Lowering, node: Extract<Statement, { readonly kind: 'block' }>): void {
  l.inScope(node, () => {
    let atStart = true;
    for (const statement of node.statements) {
      if (statement.kind === 'expression') {
        l.begin(statement);
        declareThroughMacro(l, statement.value, atStart);
      }
      const declares =
        statement.kind === 'declaration' ||
        (statement.kind === 'expression' &&
          statement.value.kind === 'call' &&
          statement.value.callee.kind === 'name' &&
          /^[A-Z_]/.test(statement.value.callee.name));
      atStart &&= declares;
      l.statement(statement);
    }
  });
}

function lowerIf(l: Lowering, node: Extract<Statement, { readonly kind: 'if' }>): void {
  const then = l.graph.newBlock();
  const join = l.graph.newBlock();
  const otherwise = node.else ? l.graph.newBlock() : join;
  l.begin(node.test);
  l.condition(node.test, then, otherwise);
  l.enterSealed(then);
  l.statement(node.then);
  l.graph.jump(join);
  if (node.else) {
    l.enterSealed(otherwise);
    l.statement(node.else);
    l.graph.jump(join);
  }
  l.enterSealed(join);
}
