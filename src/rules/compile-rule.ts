/** The file shape of call rules → `CallRule`s, with every name resolved. */
import type { Event, EventKind } from '#event/event.js';
import type { Expression } from '#event/expression.js';
import { integer } from '#event/expression.js';
import type { FactName } from '#event/machine-facts.js';
import { EVENT_FIELDS } from './event-fields.js';
import { ExpressionError, parseExpression, type Scope } from './parse-expression.js';
import type { Path, Source } from './parse-yaml.js';
import type { CallRule, ConstantRule, MachineCondition, RuleStep } from './rule.js';
import { type CallRuleFile, type ConditionFile, callRule } from './rule-file.js';

export type Constants = ReadonlyMap<string, readonly ConstantRule[]>;

/** `name(a, b, ...)`, or `struct.member(a, b)` for a call through a struct of functions. */
const SIGNATURE = /^([A-Za-z_]\w*(?:\.\w+)?)\(([^)]*)\)$/;

/** Constants that have one value on every machine can stand in expressions. */
export function constantScope(constants: Constants): Scope {
  return (name) => {
    const rules = constants.get(name);
    const only = rules?.[0];
    return only !== undefined && Object.keys(only.condition).length === 0 ? only.value : null;
  };
}

/** Parses an expression of a file. Throws RuleError at its place. */
export function expressionAt(
  source: Source,
  path: Path,
  text: string | number | boolean,
  scope: Scope,
): Expression {
  if (typeof text === 'number') return integer(text);
  if (typeof text === 'boolean') return integer(text ? 1 : 0);
  try {
    return parseExpression(text, scope);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw source.error(error.code, `${error.message} in \`${text}\``, path);
  }
}

export function compileCondition(file: ConditionFile | undefined): MachineCondition {
  if (file === undefined) return {};
  return {
    ...(file.arch === undefined ? {} : { arch: file.arch }),
    ...(file['not-arch'] === undefined ? {} : { notArch: file['not-arch'] }),
    ...(file.facts === undefined
      ? {}
      : { facts: file.facts as Partial<Record<FactName, string | number | boolean>> }),
    ...(file.config === undefined ? {} : { config: file.config }),
  };
}

/**
 * One element of a rule file → its rules: one for each name in `call` and each position of `each`.
 * Throws RuleError.
 */
export function compileRule(
  source: Source,
  index: number,
  raw: unknown,
  constants: Constants,
): readonly CallRule[] {
  const rules: CallRule[] = [];
  for (const data of expand(source, index, raw)) {
    const file = source.as(callRule, data, [index]);
    for (const signature of file.call ?? file.iterate ?? [])
      rules.push(compileOne(source, index, file, signature, constants));
  }
  return rules;
}

/** Copies of the rule with `$NAME` replaced. */
function expand(source: Source, index: number, raw: unknown): readonly unknown[] {
  if (typeof raw !== 'object' || raw === null || !('each' in raw)) return [raw];
  const { each, ...rest } = raw as { each: Record<string, unknown[]> };
  const lists = Object.entries(each ?? {});
  const count = lists[0]?.[1]?.length ?? 0;
  if (count === 0 || lists.some(([, list]) => !Array.isArray(list) || list.length !== count))
    throw source.error('shape', 'the lists of `each` have one length, above 0', [index, 'each']);
  return Array.from({ length: count }, (_, n) => {
    const values = new Map(lists.map(([name, list]) => [name, String(list[n])]));
    return replaceIn(rest, (text) =>
      text.replace(/\$([A-Z]+)/g, (whole, name: string) => values.get(name) ?? whole),
    );
  });
}

function replaceIn(data: unknown, replace: (text: string) => string): unknown {
  if (typeof data === 'string') return replace(data);
  if (Array.isArray(data)) return data.map((part) => replaceIn(part, replace));
  if (typeof data === 'object' && data !== null)
    return Object.fromEntries(
      Object.entries(data).map(([key, part]) => [replace(key), replaceIn(part, replace)]),
    );
  return data;
}

function compileOne(
  source: Source,
  index: number,
  file: CallRuleFile,
  signature: string,
  constants: Constants,
): CallRule {
  const where: Path = [index, file.call === undefined ? 'iterate' : 'call'];
  const match = SIGNATURE.exec(signature);
  if (match === null) throw source.error('shape', `\`${signature}\` is not name(parameter, …)`, where);
  const parameters = (match[2] ?? '')
    .split(',')
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== '');
  parameters.forEach((parameter, n) => {
    const dots = parameter === '...' && n === parameters.length - 1;
    if (!dots && !/^[A-Za-z_]\w*$/.test(parameter))
      throw source.error('shape', `\`${parameter}\` is no parameter name`, where);
    if (parameters.indexOf(parameter) !== n)
      throw source.error('duplicate', `parameter \`${parameter}\` twice`, where);
  });
  const locals = new Set<string>();
  const ofConstants = constantScope(constants);
  const scope: Scope = (name) =>
    locals.has(name)
      ? { op: 'var', name }
      : parameters.includes(name)
        ? { op: 'param', name }
        : ofConstants(name);
  // What was in memory is a name for the steps behind.
  const memory = (file.memory ?? []).map(({ pointer, old, value }, n) => {
    if (!parameters.includes(pointer))
      throw source.error('unknown-variable', `unknown parameter \`${pointer}\``, [
        index,
        'memory',
        n,
        'pointer',
      ]);
    locals.add(old);
    return { pointer, old, value: expressionAt(source, [index, 'memory', n, 'value'], value, scope) };
  });
  const steps = (file.events ?? []).flatMap((step, n) =>
    compileStep(source, [index, 'events', n], step, scope, locals),
  );
  const expression = (key: 'returns' | 'more'): Expression | null => {
    const text = file[key];
    return text === undefined ? null : expressionAt(source, [index, key], text, scope);
  };
  const out = Object.entries(file.out ?? {}).map(([target, text]) => {
    const [parameter = '', field] = target.split('->');
    if (!parameters.includes(parameter) || (field !== undefined && !/^[\w.]+$/.test(field)))
      throw source.error('unknown-variable', `\`${target}\` is neither a parameter nor a field of one`, [
        index,
        'out',
        target,
      ]);
    return [target, expressionAt(source, [index, 'out', target], text, scope)] as const;
  });
  const callbacks = (file.callbacks ?? []).map((callback, n) => {
    if (!parameters.includes(callback.parameter))
      throw source.error('unknown-variable', `unknown parameter \`${callback.parameter}\``, [
        index,
        'callbacks',
        n,
        'parameter',
      ]);
    for (const key of ['mask', 'condition', 'wait'] as const)
      if (callback[key] !== undefined && !parameters.includes(callback[key]))
        throw source.error('unknown-variable', `unknown parameter \`${callback[key]}\``, [
          index,
          'callbacks',
          n,
          key,
        ]);
    return {
      parameter: callback.parameter,
      member: callback.member ?? null,
      ...(callback.cpus === undefined ? {} : { cpus: callback.cpus }),
      ...(callback.mask === undefined ? {} : { mask: callback.mask }),
      ...(callback.condition === undefined ? {} : { condition: callback.condition }),
      ...(callback.wait === undefined ? {} : { wait: callback.wait }),
      ...(callback.fields === undefined
        ? {}
        : {
            fields: Object.fromEntries(
              Object.entries(callback.fields).map(([field, text]) => [
                field,
                expressionAt(source, [index, 'callbacks', n, 'fields', field], text, scope),
              ]),
            ),
          }),
      ...(callback.at === undefined ? {} : { at: callback.at }),
      ...(callback.if === undefined
        ? {}
        : { when: expressionAt(source, [index, 'callbacks', n, 'if'], callback.if, scope) }),
      args: callback.args.map((arg, m) =>
        expressionAt(source, [index, 'callbacks', n, 'args', m], arg, scope),
      ),
    };
  });
  if ((file.pure || file.effect) && file.returns !== undefined && file.pure)
    throw source.error('shape', '`pure` and `returns` exclude each other', [index, 'returns']);
  if (file.effect && steps.length > 0)
    throw source.error('shape', '`effect: none` and `events` exclude each other', [index, 'events']);
  return {
    name: match[1] ?? '',
    parameters,
    condition: compileCondition(file.when),
    steps,
    returns: file.pure
      ? {
          op: 'choice',
          key: '',
          of: [
            { kind: 'int', n: 0 },
            { kind: 'some', is: 'nonzero' },
          ],
          stable: true,
        }
      : (expression('returns') ?? (file.effect === 'none' ? integer(0) : null)),
    out: Object.fromEntries(out),
    form: file.call === undefined ? 'iterate' : 'call',
    more: expression('more'),
    stops: file.stops === true,
    bodies: file.bodies ?? [],
    clients: file.clients ?? [],
    ...(typeof file.stops === 'string'
      ? { stopsIf: expressionAt(source, [index, 'stops'], file.stops, scope) }
      : {}),
    ...(callbacks.length === 0 ? {} : { callbacks }),
    ...(file.space === undefined ? {} : { space: file.space }),
    ...(file.walkers === undefined ? {} : { walkers: file.walkers }),
    ...(memory.length === 0 ? {} : { memory }),
    ...(file.forwards === undefined ? {} : { forwards: file.forwards }),
    ...(file.runs === undefined ? {} : { runs: file.runs }),
    source: file.source ?? '',
    at: `${source.file}:${source.place([index]).line}`,
  };
}

/**
 * One step → compiled steps; names that it defines join `locals`. Throws RuleError.
 * Actors and scenarios use the same steps, with a scope of their own.
 */
export function compileStep(
  source: Source,
  path: Path,
  step: Readonly<Record<string, unknown>>,
  scope: Scope,
  locals: Set<string>,
): readonly RuleStep[] {
  if (step['let'] !== undefined) {
    return Object.entries(step['let'] as Record<string, string | number | boolean>).map(
      ([name, text]): RuleStep => {
        const value = expressionAt(source, [...path, 'let', name], text, scope);
        locals.add(name);
        return { kind: 'let', name, value };
      },
    );
  }
  const kind = Object.keys(step)[0] as EventKind;
  const fields = step[kind] as Readonly<Record<string, unknown>>;
  const at: Path = [...path, kind];
  const names: string[] = [];
  const compiled: Record<string, unknown> = { kind };
  const text = (key: string, value: unknown, ...more: (string | number)[]): Expression =>
    expressionAt(source, [...at, key, ...more], value as string | number | boolean, scope);
  for (const [key, field] of Object.entries(EVENT_FIELDS[kind])) {
    const value = fields[key];
    if (value === undefined) continue;
    if (field.type === 'expression') compiled[key] = text(key, value);
    else if (field.type === 'pair') compiled[key] = (value as unknown[]).map((part, n) => text(key, part, n));
    else compiled[key] = value;
    if (field.type === 'name') names.push(String(value));
  }
  const when = fields['if'] === undefined ? null : text('if', fields['if']);
  if (kind === 'flush') flushScope(source, at, compiled);
  for (const name of names) locals.add(name);
  return [{ kind: 'event', event: compiled as unknown as Event<Expression>, when }];
}

/** `page`, `range` or `scope` with `stride` → the event's `scope`. */
function flushScope(source: Source, at: Path, event: Record<string, unknown>): void {
  const { page, range, scope, stride = 'pte' } = event;
  const given = [page, range, scope].filter((part) => part !== undefined);
  if (given.length !== 1) throw source.error('shape', 'a flush has one of page, range, scope', at);
  delete event['page'];
  delete event['range'];
  delete event['stride'];
  if (page !== undefined) event['scope'] = { kind: 'page', address: page, stride };
  else if (range !== undefined) {
    const [start, end] = range as readonly Expression[];
    event['scope'] = { kind: 'range', start, end, stride };
  } else event['scope'] = { kind: scope };
}
