/** Lvalues: what stands left of `=`, behind `&`, or is loaded from. */
import type { CType, Operand, Place } from './ir.js';
import { perCpuPlace } from './lower-percpu.js';
import type { Lowering, Target } from './lowering.js';
import type { Expression } from './syntax.js';

type Step = Place['path'][number];

/**
 * The variable or place that an expression stands for. What is no lvalue in C but is written like one
 * (a macro that yields one, `f(x).member`) becomes the place behind the call's value or a temporary.
 */
export function lowerTarget(l: Lowering, node: Expression, use: 'read' | 'write'): Target {
  switch (node.kind) {
    case 'name': {
      const variable = l.lookup(node.name);
      if (!variable) {
        return { kind: 'place', place: { base: { kind: 'global', name: node.name }, path: [], type: null } };
      }
      if (variable.storage === 'value') return { kind: 'variable', variable };
      return { kind: 'place', place: l.placeOf(variable) };
    }
    case 'deref': {
      const pointer = l.expression(node.value);
      return { kind: 'place', place: behind(l, pointer) };
    }
    case 'field': {
      if (node.arrow)
        return { kind: 'place', place: extend(behind(l, l.expression(node.object)), field(node.name), null) };
      const object = lowerTarget(l, node.object, use);
      const place = object.kind === 'place' ? object.place : inMemory(l, l.readVariable(object.variable));
      return { kind: 'place', place: extend(place, field(node.name), null) };
    }
    case 'index':
      return { kind: 'place', place: element(l, node.object, node.at) };
    case 'cast':
      // Casts as lvalues are no C; the type does not matter for the place.
      return lowerTarget(l, node.value, use);
    case 'comma':
      l.expression(node.left);
      return lowerTarget(l, node.right, use);
    case 'statements':
    case 'call':
    case 'conditional': {
      if (node.kind === 'call' && node.callee.kind === 'name') {
        const copy = perCpuPlace(l, node.callee.name, node.args);
        if (copy) return { kind: 'place', place: copy };
      }
      const value = l.expression(node);
      if (use === 'read') return { kind: 'place', place: inMemory(l, value) };
      if (node.kind !== 'call' || value.kind !== 'value') return { kind: 'place', place: behind(l, value) };
      // A macro that is stored to stands for the place that its value is read from.
      const base = { kind: 'deref', pointer: value, named: true } as const;
      return { kind: 'place', place: { base, path: [], type: l.graph.typeOf(value) } };
    }
    case 'compound':
    case 'int':
    case 'string':
    case 'unknown':
    case 'unary':
    case 'address':
    case 'update':
    case 'assign':
    case 'binary':
    case 'asm':
      return { kind: 'place', place: inMemory(l, l.expression(node)) };
  }
}

/** Operand for `&node`. */
export function lowerAddress(l: Lowering, node: Expression): Operand {
  if (node.kind === 'deref') return l.expression(node.value);
  const target = lowerTarget(l, node, 'write');
  if (target.kind === 'variable') return { kind: 'address', place: l.placeOf(target.variable) };
  const { place } = target;
  if (place.base.kind === 'deref' && place.path.length === 0) return place.base.pointer;
  return { kind: 'address', place };
}

/** The place that a pointer points to. */
export function behind(l: Lowering, pointer: Operand): Place {
  if (pointer.kind === 'address') {
    // An array used as a pointer points to its first element.
    if (!pointer.place.type?.array) return pointer.place;
    return extend(
      pointer.place,
      { kind: 'index', at: { kind: 'int', value: 0 } },
      elementType(pointer.place.type),
    );
  }
  return { base: { kind: 'deref', pointer }, path: [], type: pointee(l.graph.typeOf(pointer)) };
}

function element(l: Lowering, object: Expression, at: Expression): Place {
  const array = arrayPlace(l, object);
  const step = (): Step => ({ kind: 'index', at: l.expression(at) });
  if (array) return extend(array, step(), elementType(array.type));
  const pointer = l.expression(object);
  const index = step();
  if (pointer.kind === 'address') return extend(pointer.place, index, elementType(pointer.place.type));
  const type = pointee(l.graph.typeOf(pointer));
  return { base: { kind: 'deref', pointer }, path: [index], type };
}

/** The place of an array that is indexed in place; null when the object is a pointer to be loaded. */
function arrayPlace(l: Lowering, object: Expression): Place | null {
  switch (object.kind) {
    case 'name': {
      const variable = l.lookup(object.name);
      if (!variable) return { base: { kind: 'global', name: object.name }, path: [], type: null };
      return variable.storage !== 'value' && variable.type?.array ? l.placeOf(variable) : null;
    }
    case 'field':
    case 'index': {
      const target = lowerTarget(l, object, 'read');
      if (target.kind !== 'place') return null;
      const { type } = target.place;
      // An element that is a pointer is loaded; of a member nothing is known, so it is taken for an array.
      if (type && type.pointers > 0 && !type.array) return behind(l, l.load(target.place, false));
      return target.place;
    }
    default:
      return null;
  }
}

/** Puts a value into a temporary so that its members can be named. */
function inMemory(l: Lowering, value: Operand): Place {
  const place = l.placeOf(l.temporary(l.graph.typeOf(value), 'memory'));
  l.store(place, value);
  return place;
}

export function extend(place: Place, step: Step, type: CType | null): Place {
  return { base: place.base, path: [...place.path, step], type };
}

function field(name: string): Step {
  return { kind: 'field', name };
}

function pointee(type: CType | null): CType | null {
  if (!type) return null;
  if (type.array) return elementType(type);
  return type.pointers > 0 ? { base: type.base, pointers: type.pointers - 1 } : null;
}

function elementType(type: CType | null): CType | null {
  if (!type) return null;
  return { base: type.base, pointers: type.pointers };
}
