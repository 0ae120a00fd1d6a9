/** A control-flow graph as text, for `--dump cfg`. */
import type { CFunction, CType, Instruction, Operand, Place, Terminator } from './ir.js';

/** One line for each block and instruction: the line in the file, the value, what it is, the source text. */
export function printFunction(f: CFunction): string {
  const printer = new Printer(f);
  const parameters = f.parameters.map(
    (p) => `${printer.value(p.id)}${p.type ? `: ${printType(p.type)}` : ''}`,
  );
  const kind = f.macro ? 'macro' : f.static ? 'static function' : 'function';
  const returns = f.returns ? ` -> ${printType(f.returns)}` : '';
  const lines = [
    `${kind} ${f.name}(${parameters.join(', ')})${returns}   ${f.file}:${f.firstLine}-${f.lastLine}`,
  ];
  for (const block of f.blocks) {
    const from =
      block.predecessors.length > 0 ? `   from ${block.predecessors.map((id) => `b${id}`).join(', ')}` : '';
    lines.push(`b${block.id}:${from}`);
    for (const instruction of block.instructions) {
      lines.push(`  ${String(instruction.line).padStart(5)}  ${printer.instruction(instruction)}`);
    }
    lines.push(`  ${printer.end(block.end)}`);
  }
  for (const gap of f.gaps) lines.push(`gap at ${gap.line}: ${gap.reason}`);
  return `${lines.join('\n')}\n`;
}

function printType(type: CType): string {
  return `${type.base}${type.pointers > 0 ? ` ${'*'.repeat(type.pointers)}` : ''}${type.array ? '[]' : ''}`;
}

class Printer {
  constructor(private readonly f: CFunction) {}

  value(id: number): string {
    const variable = this.f.values[id]?.variable;
    return `%${id}${variable ? `.${variable}` : ''}`;
  }

  operand(operand: Operand): string {
    switch (operand.kind) {
      case 'value':
        return this.value(operand.id);
      case 'int':
        return String(operand.value);
      case 'string':
        return operand.text.length > 40 ? `${operand.text.slice(0, 37)}..."` : operand.text;
      case 'global':
        return operand.name;
      case 'address':
        return `&${this.place(operand.place)}`;
      case 'unknown':
        return `?<${operand.text}>`;
    }
  }

  place(place: Place): string {
    let text: string;
    switch (place.base.kind) {
      case 'local':
        text = `${place.base.name}#${place.base.scope}`;
        break;
      case 'global':
        text = `@${place.base.name}`;
        break;
      case 'percpu':
        text = `@${place.base.name}/${place.base.cpu === null ? 'this' : this.operand(place.base.cpu)}`;
        break;
      case 'deref':
        text = `(*${this.operand(place.base.pointer)})`;
        break;
    }
    for (const step of place.path)
      text += step.kind === 'field' ? `.${step.name}` : `[${this.operand(step.at)}]`;
    return text;
  }

  private list(operands: readonly Operand[]): string {
    return operands.map((operand) => this.operand(operand)).join(', ');
  }

  instruction(i: Instruction): string {
    switch (i.kind) {
      case 'call': {
        const callee = 'name' in i.callee ? i.callee.name : `(*${this.operand(i.callee.pointer)})`;
        return `${this.value(i.id)} = call ${callee}(${this.list(i.args)})`;
      }
      case 'binary':
        return `${this.value(i.id)} = ${this.operand(i.left)} ${i.op} ${this.operand(i.right)}`;
      case 'unary':
        return `${this.value(i.id)} = ${i.op}${this.operand(i.value)}`;
      case 'cast':
        return `${this.value(i.id)} = (${printType(i.to)}) ${this.operand(i.value)}`;
      case 'load':
        return `${this.value(i.id)} = load${i.once ? ' once' : ''} ${this.place(i.place)}`;
      case 'store':
        return `store${i.once ? ' once' : ''} ${this.place(i.place)} <- ${this.operand(i.value)}`;
      case 'phi': {
        const from = i.from.map(({ block, value }) => `b${block} ${this.operand(value)}`);
        return `${this.value(i.id)} = phi ${from.join(', ')}`;
      }
      case 'aggregate': {
        const fields = i.fields.map(({ name, value }) => `${name}: ${this.operand(value)}`);
        return `${this.value(i.id)} = ${i.type ? `${printType(i.type)} ` : ''}{ ${fields.join(', ')} }`;
      }
      case 'iterate': {
        const cursors = i.cursors.map(({ id }) => this.value(id));
        const set = cursors.length > 0 ? ` sets ${cursors.join(', ')}` : '';
        return `${this.value(i.id)} = iterate ${i.macro}(${this.list(i.args)})${set}`;
      }
      case 'asm':
        return `${this.value(i.id)} = asm ${i.template}${i.args.length > 0 ? ` : ${this.list(i.args)}` : ''}${i.clobbersMemory ? ' clobbers memory' : ''}`;
    }
  }

  end(end: Terminator): string {
    switch (end.kind) {
      case 'jump':
        return `       jump b${end.to}`;
      case 'branch':
        return `${String(end.line).padStart(5)}  branch ${this.operand(end.on)} ? b${end.then} : b${end.else}   // ${end.text}`;
      case 'return':
        return `${String(end.line).padStart(5)}  return${end.value ? ` ${this.operand(end.value)}` : ''}`;
      case 'stop':
        return `${String(end.line).padStart(5)}  stop`;
    }
  }
}
