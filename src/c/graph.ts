/**
 * Builds a control-flow graph in SSA form on the fly: a variable read in a block whose predecessors are not all known
 * yet gets a phi that is filled when the block is sealed (Braun et al., "Simple and efficient construction of SSA form").
 */
import type {
  Block,
  BlockId,
  CType,
  Instruction,
  Operand,
  Place,
  Terminator,
  ValueId,
  ValueInfo,
} from './ir.js';
import { postorder } from './postorder.js';

type WithoutPlace<T> = T extends unknown ? Omit<T, 'line' | 'text'> : never;
/** An instruction before it gets its line and text. */
export type InstructionBody = WithoutPlace<Instruction>;

interface Phi {
  readonly id: ValueId;
  readonly variable: string;
  readonly key: string;
  readonly line: number;
  from: { readonly block: BlockId; readonly value: Operand }[];
}

interface Draft {
  readonly id: BlockId;
  readonly phis: Phi[];
  readonly instructions: Instruction[];
  end: Terminator | null;
  readonly predecessors: BlockId[];
  readonly variables: Map<string, Operand>;
  sealed: boolean;
}

export class Graph {
  private readonly blocks: Draft[] = [];
  private readonly values: { type: CType | null; variable: string | null }[] = [];
  private readonly replaced = new Map<ValueId, Operand>();
  private current: Draft;
  /** Line and text of what is lowered now. */
  line = 0;
  text = '';

  constructor() {
    this.current = this.addBlock(true);
  }

  newValue(type: CType | null, variable: string | null = null): ValueId {
    this.values.push({ type, variable });
    return this.values.length - 1;
  }

  /** Type of an operand where it is known. */
  typeOf(operand: Operand): CType | null {
    switch (operand.kind) {
      case 'value':
        return this.values[operand.id]?.type ?? null;
      case 'address': {
        const type = operand.place.type;
        return type ? { base: type.base, pointers: type.pointers + 1 } : null;
      }
      case 'int':
        return { base: 'int', pointers: 0 };
      case 'string':
        return { base: 'char', pointers: 1 };
      case 'global':
      case 'unknown':
        return null;
    }
  }

  /** Remembers the variable that a value is first assigned to; its type stands in where the value has none. */
  name(operand: Operand, variable: string, type: CType | null): void {
    if (operand.kind !== 'value') return;
    const info = this.values[operand.id];
    if (!info) return;
    info.variable ??= variable;
    info.type ??= type;
  }

  /** A block whose predecessors are not known yet. */
  newBlock(): BlockId {
    return this.addBlock(false).id;
  }

  private addBlock(sealed: boolean): Draft {
    const block: Draft = {
      id: this.blocks.length,
      phis: [],
      instructions: [],
      end: null,
      predecessors: [],
      variables: new Map(),
      sealed,
    };
    this.blocks.push(block);
    return block;
  }

  private block(id: BlockId): Draft {
    const block = this.blocks[id];
    if (!block) throw new Error(`block ${id} was never made`);
    return block;
  }

  get at(): BlockId {
    return this.current.id;
  }

  /** False behind a jump, where only a label can make the code live again. */
  get reachable(): boolean {
    return this.current.end === null;
  }

  enter(id: BlockId): void {
    this.current = this.block(id);
  }

  emit(body: InstructionBody): void {
    if (this.current.end) this.startDead();
    this.current.instructions.push({ line: this.line, text: this.text, ...body } as Instruction);
  }

  private startDead(): void {
    this.current = this.addBlock(true);
  }

  private finish(end: Terminator, targets: readonly BlockId[]): void {
    if (this.current.end) return;
    this.current.end = end;
    for (const target of targets) this.block(target).predecessors.push(this.current.id);
  }

  jump(to: BlockId): void {
    this.finish({ kind: 'jump', to }, [to]);
  }

  branch(on: Operand, then: BlockId, otherwise: BlockId, line: number, text: string): void {
    if (on.kind === 'int' || on.kind === 'string' || then === otherwise) {
      this.jump(on.kind === 'int' && !on.value ? otherwise : then);
      return;
    }
    this.finish({ kind: 'branch', on, then, else: otherwise, line, text }, [then, otherwise]);
  }

  return(value: Operand | null): void {
    this.finish({ kind: 'return', value, line: this.line }, []);
  }

  stop(): void {
    this.finish({ kind: 'stop', line: this.line }, []);
  }

  write(key: string, value: Operand): void {
    if (this.current.end) this.startDead();
    this.current.variables.set(key, value);
  }

  /** Value of a variable here. `variable` is the name to show, `type` the declared type. */
  read(key: string, variable: string, type: CType | null): Operand {
    return this.resolve(this.readIn(this.current, key, variable, type));
  }

  private readIn(start: Draft, key: string, variable: string, type: CType | null): Operand {
    const passed: Draft[] = [];
    let block = start;
    let found: Operand | undefined;
    for (;;) {
      found = block.variables.get(key);
      if (found) break;
      passed.push(block);
      const only = block.sealed && block.predecessors.length === 1 ? block.predecessors[0] : undefined;
      if (only === undefined) {
        if (block.sealed && block.predecessors.length === 0) {
          found = { kind: 'unknown', text: `uninitialised ${variable}` };
        } else {
          const phi: Phi = { id: this.newValue(type, variable), variable, key, line: this.line, from: [] };
          block.phis.push(phi);
          found = { kind: 'value', id: phi.id };
          block.variables.set(key, found);
          if (block.sealed) {
            this.fill(block, phi, type);
            found = this.resolve(found);
          }
        }
        break;
      }
      block = this.block(only);
    }
    for (const block of passed) block.variables.set(key, found);
    return found;
  }

  private fill(block: Draft, phi: Phi, type: CType | null): void {
    for (const predecessor of block.predecessors) {
      phi.from.push({
        block: predecessor,
        value: this.readIn(this.block(predecessor), phi.key, phi.variable, type),
      });
    }
    this.simplify(phi);
  }

  /** Replaces a phi whose operands are all the same. */
  private simplify(phi: Phi): boolean {
    let same: Operand | null = null;
    for (const { value } of phi.from) {
      const operand = this.resolve(value);
      if (operand.kind === 'value' && operand.id === phi.id) continue;
      if (same !== null && !sameOperand(same, operand)) return false;
      same = operand;
    }
    this.replaced.set(phi.id, same ?? { kind: 'unknown', text: `uninitialised ${phi.variable}` });
    return true;
  }

  /** All predecessors of a block are known. */
  seal(id: BlockId): void {
    const block = this.block(id);
    if (block.sealed) return;
    block.sealed = true;
    for (const phi of [...block.phis]) this.fill(block, phi, this.values[phi.id]?.type ?? null);
  }

  /** `depth` stops at cycles, which only code that is never reached can have. */
  private resolve(operand: Operand, depth = 0): Operand {
    let result = operand;
    while (result.kind === 'value') {
      const next = this.replaced.get(result.id);
      if (!next) return result;
      result = next;
    }
    if (result.kind === 'address' && depth < 40) {
      return mapOperand(result, (inner) => this.resolve(inner, depth + 1));
    }
    return result;
  }

  /** The finished graph: unreachable blocks dropped, the rest numbered so that blocks come before what they lead to. */
  finished(): { readonly blocks: readonly Block[]; readonly values: readonly ValueInfo[] } {
    for (const block of this.blocks) if (!block.sealed) this.seal(block.id);
    const order = this.reversePostorder();
    const reached = new Set(order.map((block) => block.id));
    const runs = this.straightRuns(order, reached);
    // Every block of a run has the number of the run.
    const live = new Map(runs.flatMap((run, i) => run.map((block): [BlockId, BlockId] => [block.id, i])));
    const phis: Phi[] = [];
    for (const block of order) {
      for (const phi of block.phis) {
        phi.from = phi.from.filter(({ block: from }) => live.has(from));
        if (!this.replaced.has(phi.id)) phis.push(phi);
      }
    }
    for (let changed = true; changed; ) {
      changed = false;
      for (const phi of phis) if (!this.replaced.has(phi.id) && this.simplify(phi)) changed = true;
    }
    const renumber = (id: BlockId): BlockId => live.get(id) ?? 0;
    const resolve = (operand: Operand): Operand => mapOperand(operand, (inner) => this.resolve(inner));
    const blocks: Block[] = [];
    for (const run of runs) {
      const first = run[0];
      const end = run.at(-1)?.end;
      if (!first || !end) continue;
      const instructions: Instruction[] = [];
      for (const phi of first.phis) {
        if (this.replaced.has(phi.id)) continue;
        instructions.push({
          kind: 'phi',
          id: phi.id,
          from: phi.from.map(({ block, value }) => ({ block: renumber(block), value: resolve(value) })),
          variable: phi.variable,
          line: phi.line,
          text: phi.variable,
        });
      }
      for (const block of run) {
        for (const instruction of block.instructions) instructions.push(mapInstruction(instruction, resolve));
      }
      blocks.push({
        id: blocks.length,
        instructions,
        end: mapTerminator(end, renumber, resolve),
        predecessors: [...new Set(first.predecessors)].filter((id) => live.has(id)).map(renumber),
      });
    }
    return { blocks, values: this.values };
  }

  /** Blocks that can only be passed one after the other, as one each. */
  private straightRuns(
    order: readonly Draft[],
    reached: ReadonlySet<BlockId>,
  ): readonly (readonly Draft[])[] {
    const swallowed = new Set<BlockId>();
    const runs: Draft[][] = [];
    for (const block of order) {
      if (swallowed.has(block.id)) continue;
      const run = [block];
      for (let last = block; last.end?.kind === 'jump'; ) {
        const next = this.block(last.end.to);
        const only = next.predecessors.every((id) => id === last.id || !reached.has(id));
        if (!only || next.id === 0 || swallowed.has(next.id) || next === block) break;
        swallowed.add(next.id);
        run.push(next);
        last = next;
      }
      runs.push(run);
    }
    return runs;
  }

  /** The blocks that the entry reaches. */
  private reversePostorder(): readonly Draft[] {
    const order = postorder([0], (id) => {
      const block = this.block(id);
      block.end ??= { kind: 'return', value: null, line: this.line };
      return targetsOf(block.end).toReversed();
    });
    return order.reverse().map((id) => this.block(id));
  }
}

function targetsOf(end: Terminator): readonly BlockId[] {
  switch (end.kind) {
    case 'jump':
      return [end.to];
    case 'branch':
      return [end.then, end.else];
    case 'return':
    case 'stop':
      return [];
  }
}

function sameOperand(left: Operand, right: Operand): boolean {
  if (left === right) return true;
  switch (left.kind) {
    case 'value':
      return right.kind === 'value' && left.id === right.id;
    case 'int':
      return right.kind === 'int' && left.value === right.value;
    case 'global':
      return right.kind === 'global' && left.name === right.name;
    case 'string':
      return right.kind === 'string' && left.text === right.text;
    case 'unknown':
      return right.kind === 'unknown' && left.text === right.text;
    case 'address':
      return right.kind === 'address' && samePlace(left.place, right.place);
  }
}

function samePlace(left: Place, right: Place): boolean {
  const a = left.base;
  const b = right.base;
  if (a.kind === 'deref' || b.kind === 'deref') {
    if (a.kind !== 'deref' || b.kind !== 'deref' || a.named !== b.named || !sameOperand(a.pointer, b.pointer))
      return false;
  } else if (a.kind !== b.kind || a.name !== b.name) return false;
  else if (a.kind === 'local' && b.kind === 'local' && a.scope !== b.scope) return false;
  if (left.path.length !== right.path.length) return false;
  return left.path.every((step, i) => {
    const other = right.path[i];
    if (!other) return false;
    if (step.kind === 'field') return other.kind === 'field' && step.name === other.name;
    return other.kind === 'index' && sameOperand(step.at, other.at);
  });
}

type OperandMap = (operand: Operand) => Operand;

function mapOperand(operand: Operand, map: OperandMap): Operand {
  if (operand.kind === 'value') return map(operand);
  if (operand.kind !== 'address') return operand;
  const place = mapPlace(operand.place, map);
  return place === operand.place ? operand : { kind: 'address', place };
}

function mapPlace(place: Place, map: OperandMap): Place {
  let changed = false;
  const inner = (operand: Operand): Operand => {
    const result = mapOperand(operand, map);
    if (result !== operand) changed = true;
    return result;
  };
  const base: Place['base'] =
    place.base.kind === 'deref'
      ? { ...place.base, pointer: inner(place.base.pointer) }
      : place.base.kind === 'percpu' && place.base.cpu !== null
        ? { ...place.base, cpu: inner(place.base.cpu) }
        : place.base;
  const path = place.path.map((step) =>
    step.kind === 'index' ? { kind: 'index' as const, at: inner(step.at) } : step,
  );
  return changed ? { base, path, type: place.type } : place;
}

function mapInstruction(instruction: Instruction, map: OperandMap): Instruction {
  switch (instruction.kind) {
    case 'call':
      return {
        ...instruction,
        callee:
          'pointer' in instruction.callee ? { pointer: map(instruction.callee.pointer) } : instruction.callee,
        args: instruction.args.map(map),
      };
    case 'binary':
      return { ...instruction, left: map(instruction.left), right: map(instruction.right) };
    case 'unary':
    case 'cast':
      return { ...instruction, value: map(instruction.value) };
    case 'load':
      return { ...instruction, place: mapPlace(instruction.place, map) };
    case 'store':
      return { ...instruction, place: mapPlace(instruction.place, map), value: map(instruction.value) };
    case 'phi':
      return instruction;
    case 'aggregate':
      return {
        ...instruction,
        fields: instruction.fields.map(({ name, value }) => ({ name, value: map(value) })),
      };
    case 'iterate':
    case 'asm':
      return { ...instruction, args: instruction.args.map(map) };
  }
}

function mapTerminator(end: Terminator, renumber: (id: BlockId) => BlockId, map: OperandMap): Terminator {
  switch (end.kind) {
    case 'jump':
      return { kind: 'jump', to: renumber(end.to) };
    case 'branch':
      return { ...end, on: map(end.on), then: renumber(end.then), else: renumber(end.else) };
    case 'return':
      return end.value ? { ...end, value: map(end.value) } : end;
    case 'stop':
      return end;
  }
}
