/** Visits every node of a syntax tree once, parents first, in the order of the text. */
import type { Expression, Statement } from './syntax.js';

interface Visitor {
  expression(node: Expression): void;
  statement(node: Statement): void;
}

export function visit(node: Statement, visitor: Visitor): void {
  visitor.statement(node);
  const expression = (value: Expression | null): void => {
    if (value) visitExpression(value, visitor);
  };
  switch (node.kind) {
    case 'expression':
      expression(node.value);
      return;
    case 'declaration':
      for (const declarator of node.declarators) expression(declarator.initializer);
      return;
    case 'block':
      for (const statement of node.statements) visit(statement, visitor);
      return;
    case 'if':
      expression(node.test);
      visit(node.then, visitor);
      if (node.else) visit(node.else, visitor);
      return;
    case 'while':
      expression(node.test);
      visit(node.body, visitor);
      return;
    case 'do':
      visit(node.body, visitor);
      expression(node.test);
      return;
    case 'for':
      if (node.first) visit(node.first, visitor);
      expression(node.test);
      expression(node.step);
      visit(node.body, visitor);
      return;
    case 'macro':
      for (const arg of node.args) expression(arg);
      visit(node.body, visitor);
      return;
    case 'switch':
      expression(node.value);
      visit(node.body, visitor);
      return;
    case 'case':
      expression(node.from);
      expression(node.to);
      return;
    case 'return':
      expression(node.value);
      return;
    case 'label':
    case 'goto':
    case 'break':
    case 'continue':
    case 'empty':
      return;
  }
}

function visitExpression(node: Expression, visitor: Visitor): void {
  visitor.expression(node);
  const next = (value: Expression | null): void => {
    if (value) visitExpression(value, visitor);
  };
  switch (node.kind) {
    case 'name':
    case 'int':
    case 'string':
    case 'unknown':
      return;
    case 'call':
      next(node.callee);
      for (const arg of node.args) next(arg);
      return;
    case 'field':
      next(node.object);
      return;
    case 'index':
      next(node.object);
      next(node.at);
      return;
    case 'unary':
    case 'deref':
    case 'address':
    case 'cast':
      next(node.value);
      return;
    case 'update':
      next(node.target);
      return;
    case 'assign':
      next(node.target);
      next(node.value);
      return;
    case 'binary':
    case 'comma':
      next(node.left);
      next(node.right);
      return;
    case 'conditional':
      next(node.test);
      next(node.then);
      next(node.else);
      return;
    case 'compound':
      for (const entry of node.entries) {
        for (const part of entry.path) if ('index' in part) next(part.index);
        next(entry.value);
      }
      return;
    case 'statements':
      visit(node.block, visitor);
      return;
    case 'asm':
      for (const operand of node.operands) next(operand);
      return;
  }
}
