/** Values that a block receives from several ways, and loops whose pointer, address and counter step together. */

import type { Block, BlockId, CFunction, CType, Instruction, Operand, Place } from '#c/ir.js';
import { postorder } from '#c/postorder.js';
import type { Expression } from '#event/expression.js';
import type { Instance } from './instance.js';
import type { Memory } from './memory.js';
import type { ProgramGraph } from './program-graph.js';
import { type Kind, kindOf, type Val } from './value.js';

export class Loops {
  /** Loop counters kept as positions; `finishProgram` turns their first value into one. */
  readonly indexPhis = new Set<string>();

  constructor(
    private readonly graph: ProgramGraph,
    private readonly memory: Memory,
  ) {}

  /** Values that a block receives. In loops, pointer, address and counter that step together follow one position. */
  phis(instance: Instance, block: Block, loops: boolean, rank: ReadonlyMap<BlockId, number>): void {
    const here = rank.get(block.id) ?? 0;
    const phis = block.instructions.filter(
      (instruction): instruction is Extract<Instruction, { kind: 'phi' }> => instruction.kind === 'phi',
    );
    if (phis.length === 0) return;
    const entering = (phi: (typeof phis)[number]): Val[] =>
      phi.from
        .filter((edge) => (rank.get(edge.block) ?? -1) < here && rank.has(edge.block))
        .map((edge) => this.memory.operand(instance, edge.value));
    for (const phi of phis) {
      const name = phiName(instance, phi.id);
      const incoming = entering(phi);
      const type = instance.fn.values[phi.id]?.type ?? incoming[0]?.type ?? null;
      const first = incoming[0];
      // Ways that agree need no variable: what told them apart then guards nothing.
      const text = first === undefined ? '' : JSON.stringify(first.expr);
      if (!loops && first !== undefined && incoming.every((val) => JSON.stringify(val.expr) === text)) {
        instance.values.set(phi.id, { ...first, stable: incoming.every((val) => val.stable) });
        continue;
      }
      let kind: Kind = 'untracked';
      for (const val of incoming) {
        const k = kindOf(val.expr, this.graph.kinds);
        if (k !== 'untracked' && (kind === 'untracked' || kind === 'int')) kind = k;
      }
      this.graph.kinds.set(name, kind);
      const cells = new Set(incoming.map((val) => val.cell));
      const cell = cells.size === 1 && !loops ? [...cells][0] : undefined;
      instance.values.set(phi.id, {
        expr: { op: 'var', name },
        origin: loops
          ? `loop(${first?.origin ?? ''})`
          : incoming.length === 0
            ? 'undefined'
            : [...new Set(incoming.map((val) => val.origin))].join('|'),
        stable: false,
        type,
        ...(cell === undefined ? {} : { cell }),
        ...(incoming.some((val) => val.index) ? { index: true as const } : {}),
      });
    }
    if (loops) this.couple(instance, block, phis, rank);
  }

  private couple(
    instance: Instance,
    block: Block,
    phis: readonly Extract<Instruction, { kind: 'phi' }>[],
    rank: ReadonlyMap<BlockId, number>,
  ): void {
    const here = rank.get(block.id) ?? 0;
    const step = (phi: (typeof phis)[number]): Instruction | null => {
      for (const edge of phi.from) {
        if ((rank.get(edge.block) ?? -1) < here || edge.value.kind !== 'value') continue;
        const id = edge.value.id;
        for (const other of instance.fn.blocks) {
          for (const instruction of other.instructions)
            if ('id' in instruction && instruction.id === id) return instruction;
        }
      }
      return null;
    };
    const steps = new Map(phis.map((phi) => [phi.id, step(phi)]));
    const advances = (phi: (typeof phis)[number]): boolean => {
      const how = steps.get(phi.id);
      // On some ways round the loop the pointer may have been found again, for the same address.
      return (
        how?.kind === 'binary' &&
        how.op === '+' &&
        how.left.kind === 'value' &&
        comesFrom(instance.fn, how.left.id, phi.id)
      );
    };
    const kindAt = (phi: (typeof phis)[number]): Kind =>
      this.graph.kinds.get(phiName(instance, phi.id)) ?? 'untracked';
    let master: Expression | null = null;
    let counted = false;
    for (const phi of phis) {
      const how = steps.get(phi.id);
      if (
        kindAt(phi) === 'address' &&
        how !== null &&
        how?.kind !== 'phi' &&
        !(how?.kind === 'binary' && how.op === '-')
      ) {
        master = { op: 'var', name: phiName(instance, phi.id) };
        break;
      }
    }
    const counters = phis.filter((phi) => {
      const how = steps.get(phi.id);
      return (
        kindAt(phi) === 'int' &&
        advances(phi) &&
        how?.kind === 'binary' &&
        how.right.kind === 'int' &&
        Number(how.right.value) === 1 &&
        indexes(instance.fn, phi.id, (type) => this.memory.pointsToEntries(type))
      );
    });
    for (const phi of counters) {
      const name = phiName(instance, phi.id);
      const val = instance.values.get(phi.id);
      if (val === undefined) continue;
      if (master === null) {
        this.graph.kinds.set(name, 'address');
        master = { op: 'var', name };
        // Where the witness lies is chosen when the loop starts; the counter's first value stands for the first slot.
        const start = this.graph.temporary();
        this.graph.kinds.set(start, 'address');
        instance.values.set(phi.id, { ...val, index: true });
        this.indexPhis.add(name);
        counted = true;
      } else instance.values.set(phi.id, { ...val, expr: master, index: true });
    }
    for (const phi of phis) {
      const val = instance.values.get(phi.id);
      if (val === undefined || kindAt(phi) !== 'entry-pointer' || !advances(phi) || master === null) continue;
      const name = this.graph.temporary();
      this.graph.kinds.set(name, 'entry-pointer');
      this.graph.assign(name, { op: counted ? 'slot' : 'couple', args: [val.expr, master] }, null);
      instance.values.set(phi.id, { ...val, expr: { op: 'var', name } });
    }
  }
}

/** Is the value this one, on some way at least that leads to where it is used? */
function comesFrom(fn: CFunction, id: number, source: number): boolean {
  const phis = new Map<number, readonly Operand[]>();
  for (const block of fn.blocks)
    for (const instruction of block.instructions)
      if (instruction.kind === 'phi')
        phis.set(
          instruction.id,
          instruction.from.map((edge) => edge.value),
        );
  const seen = new Set([id]);
  for (const at of seen) {
    if (at === source) return true;
    for (const operand of phis.get(at) ?? []) if (operand.kind === 'value') seen.add(operand.id);
  }
  return false;
}

export const phiName = (instance: Instance, id: number): string => `p${instance.number}.${id}`;

/** Is the value used as a position in a table or array, or handed to a macro that may do so? */
function indexes(fn: CFunction, id: number, pointer: (type: CType | null) => boolean): boolean {
  const uses = (operand: Operand): boolean => operand.kind === 'value' && operand.id === id;
  const inPlace = (place: Place): boolean =>
    place.path.some((step) => step.kind === 'index' && uses(step.at));
  for (const block of fn.blocks) {
    for (const instruction of block.instructions) {
      if ((instruction.kind === 'load' || instruction.kind === 'store') && inPlace(instruction.place))
        return true;
      if (
        instruction.kind === 'call' &&
        instruction.args.some(
          (arg) =>
            (arg.kind === 'address' && inPlace(arg.place)) ||
            (uses(arg) && 'name' in instruction.callee && /^[A-Z0-9_]+$/.test(instruction.callee.name)),
        )
      )
        return true;
      if (
        instruction.kind === 'binary' &&
        instruction.op === '+' &&
        uses(instruction.right) &&
        instruction.left.kind === 'value' &&
        ((fn.values[instruction.left.id]?.type?.pointers ?? 0) > 0 ||
          pointer(fn.values[instruction.left.id]?.type ?? null))
      )
        return true;
    }
  }
  return false;
}

/** How the blocks of a function lie: those that the first one reaches, in an order, with their places in it. */
interface Layout {
  readonly blocks: ReadonlyMap<BlockId, Block>;
  readonly order: readonly BlockId[];
  readonly rank: ReadonlyMap<BlockId, number>;
}

const layouts = new WeakMap<CFunction, Layout>();

/** The same for every call of the function. */
export function layoutOf(fn: CFunction): Layout {
  let layout = layouts.get(fn);
  if (layout === undefined) {
    const blocks = new Map(fn.blocks.map((block) => [block.id, block]));
    const order = reversePostorder(fn.blocks, blocks);
    layout = { blocks, order, rank: new Map(order.map((id, n) => [id, n])) };
    layouts.set(fn, layout);
  }
  return layout;
}

/** The blocks that the first one reaches, those that lead to others before them but where a loop goes back. */
function reversePostorder(blocks: readonly Block[], byId: ReadonlyMap<BlockId, Block>): BlockId[] {
  const successors = (id: BlockId): BlockId[] => {
    const end = byId.get(id)?.end;
    switch (end?.kind) {
      case 'jump':
        return [end.to];
      case 'branch':
        return [end.else, end.then];
      default:
        return [];
    }
  };
  const reached = postorder(
    blocks.slice(0, 1).map((block) => block.id),
    (id) => successors(id).filter((to) => byId.has(to)),
  );
  return reached.reverse();
}
