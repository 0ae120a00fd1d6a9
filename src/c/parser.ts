/**
 * The only module that loads the grammar. Turns one function's plain text into the tree of `syntax.ts`.
 * Node-type names of the grammar appear here and nowhere else.
 */
import { createRequire } from 'node:module';
import type ParserModule from 'tree-sitter';
import { parseInteger } from './condition.js';
import type { CType } from './ir.js';
import type {
  Declarator,
  Entry,
  Expression,
  FunctionSyntax,
  ParameterSyntax,
  Statement,
  SyntaxFailure,
} from './syntax.js';

/**
 * Parses one function.
 *
 * @param plain    the function's text after `plainC`
 * @param original the same text untouched: what a rewritten word was
 * @returns the tree, or where the grammar got lost in a way that would swallow statements
 */
export function parseFunction(plain: string, original: string): FunctionSyntax | SyntaxFailure {
  return parseWith('', plain, '', original);
}

/** Parses a macro's replacement text: as an expression to be returned, or as statements. */
export function parseMacroBody(
  plain: string,
  original: string,
  as: 'expression' | 'statements',
): FunctionSyntax | SyntaxFailure {
  if (as === 'expression') return parseWith('v a(){return ', plain, ';}', original);
  return parseWith('v a(){', plain, ';}', original);
}

/** Node of the grammar's tree without punctuation; `field` is the role that it plays in its parent. */
interface Raw {
  readonly type: string;
  readonly field: string | null;
  readonly start: number;
  readonly end: number;
  readonly children: readonly Raw[];
}

interface Loaded {
  readonly parser: ParserModule;
  readonly types: Map<number, string>;
  readonly fields: Map<number, string | null>;
}

let loaded: Loaded | null = null;

/** Loading a native addon takes time that runs without C code must not pay. */
function load(): Loaded {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  const Parser = require('tree-sitter') as typeof ParserModule;
  const parser = new Parser();
  // Without what it says of its nodes no class is made for each kind of them: they are walked with a cursor.
  const language = require('tree-sitter-c') as ParserModule.Language;
  parser.setLanguage({ ...language, nodeTypeInfo: [] } as ParserModule.Language);
  loaded = { parser, types: new Map(), fields: new Map() };
  return loaded;
}

function parseWith(
  before: string,
  plain: string,
  after: string,
  original: string,
): FunctionSyntax | SyntaxFailure {
  const { parser, types, fields } = load();
  const text = before + plain + after;
  const shift = before.length;
  const tree = parser.parse(text, undefined, { bufferSize: Math.max(32768, text.length * 2 + 2) });
  const cursor = tree.walk();
  let failure: SyntaxFailure | null = null;

  const read = (): Raw => {
    const typeId = cursor.nodeTypeId;
    let type = types.get(typeId);
    if (type === undefined) {
      type = cursor.nodeType;
      types.set(typeId, type);
    }
    const fieldId = cursor.currentFieldId;
    let field = fields.get(fieldId);
    if (field === undefined) {
      field = cursor.currentFieldName ?? null;
      fields.set(fieldId, field);
    }
    const start = cursor.startIndex - shift;
    const end = cursor.endIndex - shift;
    if (type === 'ERROR') failure ??= { offset: Math.max(0, start), reason: 'syntax not understood' };
    const children: Raw[] = [];
    if (!LEAVES.has(type) && cursor.gotoFirstChild()) {
      do {
        if (cursor.nodeIsNamed) children.push(read());
      } while (cursor.gotoNextSibling());
      cursor.gotoParent();
    }
    return { type, field, start, end, children };
  };

  const root = read();
  if (failure) return failure;
  const definition = root.children.find((child) => child.type === 'function_definition');
  if (!definition) return { offset: 0, reason: 'no function found' };
  const last = root.children[root.children.length - 1];
  if (last && last !== definition && last.type !== 'expression_statement' && last.start >= definition.end) {
    return { offset: Math.max(0, last.start), reason: 'text behind the function' };
  }
  return new Converter(plain, original, shift).definition(definition);
}

const LEAVES = new Set([
  'identifier',
  'type_identifier',
  'field_identifier',
  'statement_identifier',
  'primitive_type',
  'number_literal',
  'string_literal',
  'char_literal',
  'sizeof_expression',
  'alignof_expression',
  'offsetof_expression',
  'concatenated_string',
  'field_declaration_list',
  'enumerator_list',
]);

const WORD_AT = /[A-Za-z_]\w*/y;

const NO_TYPE: CType = { base: 'int', pointers: 0 };

class Converter {
  constructor(
    private readonly plain: string,
    private readonly original: string,
    private readonly shift: number,
  ) {}

  definition(raw: Raw): FunctionSyntax | SyntaxFailure {
    const body = raw.children.find((child) => child.field === 'body');
    if (!body) return { offset: Math.max(0, raw.start), reason: 'no body' };
    const block = this.statements([body])[0];
    if (!block) return { offset: Math.max(0, raw.start), reason: 'no body' };
    if (this.shift > 0) return { returns: null, parameters: [], body: block };
    const base = this.baseType(raw);
    let declarator = raw.children.find((child) => child.field === 'declarator');
    let pointers = 0;
    while (declarator && declarator.type !== 'function_declarator') {
      if (declarator.type === 'pointer_declarator') pointers++;
      declarator = declarator.children.find((child) => child.field === 'declarator');
    }
    const list = declarator?.children.find((child) => child.field === 'parameters');
    const parameters: ParameterSyntax[] = [];
    for (const child of list?.children ?? []) {
      if (child.type !== 'parameter_declaration') continue;
      const inner = child.children.find((part) => part.field === 'declarator');
      const type = this.baseType(child);
      if (!inner) {
        if (type.base !== 'void') parameters.push({ name: '', type });
        continue;
      }
      const { name, type: full } = this.declared(inner, type);
      parameters.push({ name, type: full });
    }
    return { returns: { ...base, pointers: base.pointers + pointers }, parameters, body: block };
  }

  private source(raw: { readonly start: number; readonly end: number }): string {
    return this.plain.slice(raw.start, raw.end);
  }

  /** What a word was before `plainC` rewrote it. */
  private written(raw: { readonly start: number; readonly end: number }): string {
    return this.original.slice(raw.start, raw.end).replace(/\s+/g, ' ').trim();
  }

  private baseType(raw: Raw): CType {
    const type = raw.children.find((child) => child.field === 'type');
    if (!type) return NO_TYPE;
    return { base: this.typeName(type), pointers: 0 };
  }

  private typeName(type: Raw): string {
    switch (type.type) {
      case 'struct_specifier':
      case 'union_specifier':
      case 'enum_specifier': {
        const name = type.children.find((child) => child.field === 'name');
        const keyword = type.type.slice(0, type.type.indexOf('_'));
        return name ? `${keyword} ${this.source(name)}` : keyword;
      }
      default: {
        const text = this.source(type).replace(/\s+/g, ' ').trim();
        if (this.original.startsWith(text, type.start)) {
          WORD_AT.lastIndex = type.start;
          const word = WORD_AT.exec(this.original)?.[0] ?? text;
          // `pteval_t` in a cast was overwritten with a shorter built-in type.
          return text.includes(' ') || word.length <= text.length ? text : word;
        }
        // A header macro's words were overwritten with a type of our own.
        if (type.type === 'sized_type_specifier') return text;
        if (type.type === 'primitive_type') {
          WORD_AT.lastIndex = type.start;
          return WORD_AT.exec(this.original)?.[0] ?? text;
        }
        return this.written(type);
      }
    }
  }

  /** Name and full type of a declarator. */
  private declared(declarator: Raw, base: CType): { readonly name: string; readonly type: CType } {
    let pointers = base.pointers;
    let array = false;
    let node: Raw | undefined = declarator;
    let name = '';
    while (node) {
      switch (node.type) {
        case 'identifier':
        case 'field_identifier':
        case 'type_identifier':
          name = this.source(node);
          break;
        case 'pointer_declarator':
        case 'abstract_pointer_declarator':
          pointers++;
          break;
        case 'array_declarator':
        case 'abstract_array_declarator':
          array = true;
          break;
        case 'function_declarator':
        case 'abstract_function_declarator': {
          const inner: Raw | undefined = node.children.find((child) => child.field === 'declarator');
          // A pointer to a function: the pointer inside the parentheses is the whole of it.
          if (inner?.type === 'parenthesized_declarator') {
            const found = this.declared(inner, { base: 'function', pointers: 0 });
            return { name: found.name, type: found.type };
          }
          break;
        }
        default:
          break;
      }
      const current: Raw = node;
      node =
        current.children.find((child) => child.field === 'declarator') ??
        (current.type === 'parenthesized_declarator' || current.type === 'abstract_parenthesized_declarator'
          ? current.children[0]
          : undefined);
    }
    return { name, type: array ? { base: base.base, pointers, array } : { base: base.base, pointers } };
  }

  private typeDescriptor(raw: Raw | undefined): CType {
    if (!raw) return NO_TYPE;
    const base = this.baseType(raw);
    const declarator = raw.children.find((child) => child.field === 'declarator');
    return declarator ? this.declared(declarator, base).type : base;
  }

  /** Statements in order; labels and cases are flattened into marks before what they label. */
  private statements(raws: readonly Raw[]): Statement[] {
    const out: Statement[] = [];
    for (const raw of raws) this.statement(raw, out);
    return out;
  }

  private single(raw: Raw | undefined, at: Raw): Statement {
    if (!raw) return { kind: 'empty', start: at.start, end: at.end };
    const list = this.statements([raw]);
    const only = list[0];
    if (only && list.length === 1) return only;
    return { kind: 'block', statements: list, start: raw.start, end: raw.end };
  }

  private statement(raw: Raw, out: Statement[]): void {
    const { start, end, children } = raw;
    const field = (name: string): Raw | undefined => children.find((child) => child.field === name);
    switch (raw.type) {
      case 'compound_statement':
        out.push({ kind: 'block', statements: this.statements(children), start, end });
        return;
      case 'expression_statement': {
        const value = children[0];
        if (value && value.end > value.start) {
          out.push({ kind: 'expression', value: this.expression(value), start, end });
        }
        return;
      }
      case 'declaration':
        this.declaration(raw, out);
        return;
      case 'if_statement':
        out.push({
          kind: 'if',
          test: this.fieldExpression(raw, 'condition'),
          then: this.single(field('consequence'), raw),
          else: field('alternative') ? this.single(field('alternative')?.children[0], raw) : null,
          start,
          end,
        });
        return;
      case 'while_statement': {
        const condition = field('condition');
        const keyword = /^\w+/.exec(this.original.slice(start, end))?.[0] ?? 'while';
        const body = this.single(field('body'), raw);
        if (keyword === 'while') {
          out.push({ kind: 'while', test: this.fieldExpression(raw, 'condition'), body, start, end });
        } else {
          const args: Expression[] = [];
          const inner = condition?.children[0];
          if (inner && this.original.slice(inner.start, inner.end).trim() !== '') this.commaList(inner, args);
          out.push({
            kind: 'macro',
            name: keyword,
            args: args.filter((arg) => !(arg.kind === 'int' && this.original[arg.start] === '(')),
            body,
            start,
            end,
          });
        }
        return;
      }
      case 'do_statement': {
        const condition = field('condition');
        const body = field('body');
        const between = this.original.slice(body?.end ?? start, condition?.start ?? start);
        const keyword = /\w+(?=\s*$)/.exec(between)?.[0] ?? 'while';
        const inner = condition?.children[0];
        let test = this.fieldExpression(raw, 'condition');
        if (keyword !== 'while' && inner) {
          const args: Expression[] = [];
          this.commaList(inner, args);
          const at = {
            start: (body?.end ?? start) + between.lastIndexOf(keyword),
            end: condition?.end ?? end,
          };
          test = { kind: 'call', callee: { kind: 'name', name: keyword, ...at }, args, ...at };
        }
        out.push({
          kind: 'do',
          test,
          macro: keyword === 'while' ? null : keyword,
          body: this.single(body, raw),
          start,
          end,
        });
        return;
      }
      case 'for_statement': {
        const first = field('initializer');
        const test = field('condition');
        const step = field('update');
        let initial: Statement | null = null;
        if (first?.type === 'declaration') initial = this.single(first, first);
        else if (first) {
          initial = { kind: 'expression', value: this.expression(first), start: first.start, end: first.end };
        }
        out.push({
          kind: 'for',
          first: initial,
          test: test ? this.expression(test) : null,
          step: step ? this.expression(step) : null,
          body: this.single(field('body'), raw),
          start,
          end,
        });
        return;
      }
      case 'switch_statement':
        out.push({
          kind: 'switch',
          value: this.fieldExpression(raw, 'condition'),
          body: this.single(field('body'), raw),
          start,
          end,
        });
        return;
      case 'case_statement': {
        const value = field('value');
        const range = value?.type === 'binary_expression' && this.isRange(value);
        let labelEnd = value ? value.end : start;
        labelEnd = Math.max(labelEnd, start);
        if (value && range) {
          const [from, to] = value.children;
          out.push({
            kind: 'case',
            from: from ? this.expression(from) : null,
            to: to ? this.expression(to) : null,
            start,
            end: labelEnd,
          });
        } else
          out.push({
            kind: 'case',
            from: value ? this.expression(value) : null,
            to: null,
            start,
            end: labelEnd,
          });
        for (const child of children) if (child !== value) this.statement(child, out);
        return;
      }
      case 'labeled_statement': {
        const label = field('label');
        if (label) out.push({ kind: 'label', name: this.source(label), start: label.start, end: label.end });
        for (const child of children) if (child !== label) this.statement(child, out);
        return;
      }
      case 'attributed_statement':
        for (const child of children) this.statement(child, out);
        return;
      case 'goto_statement': {
        const label = field('label');
        out.push({ kind: 'goto', label: label ? this.source(label) : '', start, end });
        return;
      }
      case 'break_statement':
        out.push({ kind: 'break', start, end });
        return;
      case 'continue_statement':
        out.push({ kind: 'continue', start, end });
        return;
      case 'return_statement': {
        const value = children[0];
        out.push({ kind: 'return', value: value ? this.expression(value) : null, start, end });
        return;
      }
      default:
        // Local types, typedefs and stray preprocessor nodes do nothing at run time.
        return;
    }
  }

  private isRange(binary: Raw): boolean {
    const [left, right] = binary.children;
    return (
      left !== undefined && right !== undefined && this.original.slice(left.end, right.start).includes('...')
    );
  }

  private declaration(raw: Raw, out: Statement[]): void {
    const base = this.baseType(raw);
    let isStatic = false;
    let extern = false;
    for (const child of raw.children) {
      if (child.type !== 'storage_class_specifier') continue;
      const word = this.source(child);
      if (word === 'static') isStatic = true;
      else if (word === 'extern') extern = true;
    }
    const declarators: Declarator[] = [];
    for (const child of raw.children) {
      if (child.field !== 'declarator') continue;
      const inner =
        child.type === 'init_declarator' ? child.children.find((c) => c.field === 'declarator') : child;
      if (!inner) continue;
      const { name, type } = this.declared(inner, base);
      const value =
        child.type === 'init_declarator' ? child.children.find((c) => c.field === 'value') : undefined;
      declarators.push({
        name,
        type,
        static: isStatic,
        // A prototype is no variable.
        extern: extern || inner.type === 'function_declarator' ? !isPointerToFunction(inner) : false,
        initializer: value ? this.expression(value) : null,
        start: child.start,
        end: child.end,
      });
    }
    if (declarators.length > 0)
      out.push({ kind: 'declaration', declarators, start: raw.start, end: raw.end });
  }

  private fieldExpression(raw: Raw, name: string): Expression {
    const child = raw.children.find((candidate) => candidate.field === name);
    return child ? this.expression(child) : { kind: 'unknown', start: raw.start, end: raw.start };
  }

  private commaList(raw: Raw, out: Expression[]): void {
    if (raw.type !== 'comma_expression') {
      out.push(this.expression(raw));
      return;
    }
    for (const child of raw.children) this.commaList(child, out);
  }

  private expression(raw: Raw): Expression {
    const { start, end, children } = raw;
    const first = children[0];
    switch (raw.type) {
      case 'identifier': {
        const name = this.source(raw);
        // A type, an operator or a keyword that was rewritten so that it could stand as an argument.
        if (!this.original.startsWith(name, start)) return { kind: 'unknown', start, end };
        return { kind: 'name', name, start, end };
      }
      case 'true':
        return { kind: 'int', value: 1, start, end };
      case 'false':
        return { kind: 'int', value: 0, start, end };
      case 'null':
        return { kind: 'int', value: 0, start, end };
      case 'number_literal': {
        const text = this.source(raw);
        if (!this.original.startsWith(text, start)) return { kind: 'unknown', start, end };
        const negative = text.startsWith('-');
        const value = parseInteger(/^[-+]/.test(text) ? text.slice(1) : text);
        if (value === null) return { kind: 'unknown', start, end };
        return { kind: 'int', value: negative ? -value : value, start, end };
      }
      case 'char_literal': {
        const text = this.source(raw);
        const escaped = ESCAPES.get(text.slice(1, -1));
        if (escaped !== undefined) return { kind: 'int', value: escaped, start, end };
        return text.length === 3
          ? { kind: 'int', value: text.charCodeAt(1), start, end }
          : { kind: 'unknown', start, end };
      }
      case 'string_literal':
      case 'concatenated_string':
        return { kind: 'string', start, end };
      case 'parenthesized_expression':
      case 'extension_expression': {
        if (!first) return { kind: 'unknown', start, end };
        if (first.type === 'compound_statement') {
          return { kind: 'statements', block: this.single(first, first), start, end };
        }
        return this.expression(first);
      }
      case 'compound_statement':
        return { kind: 'statements', block: this.single(raw, raw), start, end };
      case 'comma_expression': {
        const [left, right] = children;
        if (!left || !right) return { kind: 'unknown', start, end };
        return { kind: 'comma', left: this.expression(left), right: this.expression(right), start, end };
      }
      case 'call_expression':
        return this.call(raw);
      case 'field_expression': {
        const [object, name] = children;
        if (!object || !name) return { kind: 'unknown', start, end };
        const arrow = this.plain.slice(object.end, name.start).includes('->');
        return { kind: 'field', object: this.expression(object), arrow, name: this.source(name), start, end };
      }
      case 'subscript_expression': {
        const [object, at] = children;
        if (!object || !at) return { kind: 'unknown', start, end };
        return { kind: 'index', object: this.expression(object), at: this.expression(at), start, end };
      }
      case 'pointer_expression': {
        if (!first) return { kind: 'unknown', start, end };
        const kind = this.plain[start] === '*' ? 'deref' : 'address';
        return { kind, value: this.expression(first), start, end };
      }
      case 'unary_expression': {
        if (!first) return { kind: 'unknown', start, end };
        const op = this.plain[start];
        const value = this.expression(first);
        if (op === '-' || op === '~' || op === '!') return { kind: 'unary', op, value, start, end };
        return value;
      }
      case 'update_expression': {
        if (!first) return { kind: 'unknown', start, end };
        const prefix = first.start > start;
        const mark = prefix ? this.plain[start] : this.plain[end - 1];
        return {
          kind: 'update',
          op: mark === '+' ? '+' : '-',
          prefix,
          target: this.expression(first),
          start,
          end,
        };
      }
      case 'assignment_expression': {
        const [target, value] = children;
        if (!target || !value) return { kind: 'unknown', start, end };
        const op = this.plain.slice(target.end, value.start).replace(/[\s()]+/g, '');
        return {
          kind: 'assign',
          op: op.slice(0, -1),
          target: this.expression(target),
          value: this.expression(value),
          start,
          end,
        };
      }
      case 'binary_expression': {
        const [left, right] = children;
        if (!left || !right) return { kind: 'unknown', start, end };
        const op = this.plain.slice(left.end, right.start).trim();
        return { kind: 'binary', op, left: this.expression(left), right: this.expression(right), start, end };
      }
      case 'conditional_expression': {
        const then = children.find((child) => child.field === 'consequence');
        return {
          kind: 'conditional',
          test: this.fieldExpression(raw, 'condition'),
          then: then ? this.expression(then) : null,
          else: this.fieldExpression(raw, 'alternative'),
          start,
          end,
        };
      }
      case 'cast_expression': {
        const type = children.find((child) => child.field === 'type');
        return {
          kind: 'cast',
          type: this.typeDescriptor(type),
          value: this.fieldExpression(raw, 'value'),
          start,
          end,
        };
      }
      case 'compound_literal_expression': {
        const type = children.find((child) => child.field === 'type');
        const value = children.find((child) => child.field === 'value');
        return {
          kind: 'compound',
          type: this.typeDescriptor(type),
          entries: value ? this.entries(value) : [],
          start,
          end,
        };
      }
      case 'initializer_list':
        return { kind: 'compound', type: null, entries: this.entries(raw), start, end };
      default:
        return { kind: 'unknown', start, end };
    }
  }

  private call(raw: Raw): Expression {
    const { start, end } = raw;
    const callee = raw.children.find((child) => child.field === 'function');
    const list = raw.children.find((child) => child.field === 'arguments');
    if (!callee) return { kind: 'unknown', start, end };
    const args = (list?.children ?? []).map((child) => this.expression(child));
    if (callee.type === 'identifier' && this.plain[callee.start] !== this.original[callee.start]) {
      return { kind: 'asm', operands: args, start, end };
    }
    return { kind: 'call', callee: this.expression(callee), args, start, end };
  }

  private entries(list: Raw): Entry[] {
    const entries: Entry[] = [];
    for (const child of list.children) {
      if (child.type !== 'initializer_pair') {
        entries.push({ path: [], value: this.expression(child) });
        continue;
      }
      const value = child.children.find((part) => part.field === 'value');
      if (!value) continue;
      const path: Entry['path'][number][] = [];
      for (const part of child.children) {
        if (part.field !== 'designator') continue;
        if (part.type === 'field_identifier') path.push({ field: this.source(part) });
        else if (part.type === 'field_designator') {
          const name = part.children[0];
          if (name) path.push({ field: this.source(name) });
        } else {
          const at = part.children[0];
          if (at) path.push({ index: this.expression(at) });
        }
      }
      entries.push({ path, value: this.expression(value) });
    }
    return entries;
  }
}

const ESCAPES = new Map<string, number>([
  ['\\0', 0],
  ['\\n', 10],
  ['\\t', 9],
  ['\\r', 13],
  ['\\\\', 92],
  ["\\'", 39],
]);

function isPointerToFunction(declarator: Raw): boolean {
  return (
    declarator.type === 'function_declarator' &&
    declarator.children.some(
      (child) => child.field === 'declarator' && child.type === 'parenthesized_declarator',
    )
  );
}
