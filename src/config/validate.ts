import type { Problem } from '../errors/problem.js';
import { bind, constructFrom, override } from './construct.js';
import { attribute, interpolate } from './interpolate.js';
import { grouped, limited, listed } from './limits.js';
import {
  type Address,
  Dict,
  EMPTY,
  Float,
  type ListNode,
  ModelError,
  type Node,
  type Raw,
  type SimpleNode,
  type StructNode,
} from './model.js';
import { addressText, tagText } from './mustache.js';
import { type ConfigPlace, type Leaf, type MissingField, partsOf, unboundIn } from './places.js';
import { type Plan, type PlanFault, type PlannedProcess, planOf } from './planner.js';
import { ampersandsFor, escaped, hintFor, problemAt, typeProblems } from './problems.js';
import { pythonText } from './python-text.js';
import type { Schema } from './schema.js';
import type { SelectedProcesses } from './selection.js';

/** What a runner needs of an evaluated task for its plans. */
export interface TaskPlan {
  readonly processes: readonly PlannedProcess[];
  readonly orders: readonly (readonly string[])[];
  readonly regular: Plan;
  readonly finalizing: Plan;
}

/** Not empty, no dot at the beginning, no slash: it names a file and a directory. */
const PROCESS_NAME = /^[^./][^/]*$/;

/** What planning needs of every process. */
const PLANNED_FIELDS = ['max_failures', 'daemon', 'ephemeral', 'min_duration', 'final'];

/** Nodes never change, and the processes of a task are needed again and again. */
const known = new WeakMap<StructNode, Map<string, readonly StructNode[] | undefined>>();

/** Elements of a list field as a runner sees them, or undefined if the field is not set. */
export function itemsOf(node: StructNode, field: string): readonly StructNode[] | undefined {
  const fields = known.get(node) ?? new Map<string, readonly StructNode[] | undefined>();
  known.set(node, fields);
  if (!fields.has(field)) {
    const list = attribute(node, field);
    const items = list === EMPTY ? undefined : (interpolate(list).node as ListNode).items;
    fields.set(field, items as StructNode[] | undefined);
  }
  return fields.get(field);
}

/** The coerced value of a field, or undefined if it is not set. */
export function rawOf(node: StructNode, field: string): Raw | undefined {
  const value = attribute(node, field);
  return value === EMPTY ? undefined : (value as SimpleNode).raw;
}

/** The plans of a typechecked task. A constraint without an order counts as an empty one. */
export function taskPlan(task: StructNode): TaskPlan {
  const processes = (itemsOf(task, 'processes') ?? []).map(plannedProcess);
  const orders = (itemsOf(task, 'constraints') ?? []).map((constraint) => {
    const order = attribute(constraint, 'order');
    return order === EMPTY
      ? []
      : (order as ListNode).items.map((name) => pythonText((name as SimpleNode).raw));
  });
  return {
    processes,
    orders,
    regular: planOf(processes, orders, false),
    finalizing: planOf(processes, orders, true),
  };
}

/** The task with nothing but these processes, which were chosen by its plan, and the constraints among them. */
export function withProcesses(task: StructNode, { names, orders, bridges }: SelectedProcesses): StructNode {
  const processes = task.fields.get('processes') as ListNode;
  const constraints = task.fields.get('constraints') as ListNode | undefined;
  const plans = taskPlan(task).processes;
  const fields: [string, Raw][] = [
    [
      'processes',
      { ...processes, items: processes.items.filter((_, i) => names.has(plans[i]?.name as string)) },
    ],
  ];
  if (constraints !== undefined) {
    const kept = orders.map(({ order, places }) => withNames(constraints.items[order] as StructNode, places));
    fields.push(['constraints', [...kept, ...bridges.map((order) => new Dict([['order', [...order]]]))]]);
  }
  return override(task, fields);
}

/** The constraint with the names at these places of its order. */
function withNames(constraint: StructNode, places: readonly number[]): StructNode {
  const order = constraint.fields.get('order') as ListNode;
  if (places.length === order.items.length) return constraint;
  return override(constraint, [['order', { ...order, items: places.map((at) => order.items[at] as Node) }]]);
}

function plannedProcess(process: StructNode): PlannedProcess {
  return {
    name: pythonText(rawOf(process, 'name') ?? null),
    daemon: rawOf(process, 'daemon') === true,
    ephemeral: rawOf(process, 'ephemeral') === true,
    final: rawOf(process, 'final') === true,
    max_failures: asNumber(rawOf(process, 'max_failures') ?? 1n),
    min_duration: asNumber(rawOf(process, 'min_duration') ?? 5n),
  };
}

function asNumber(raw: Raw): number {
  return raw instanceof Float ? raw.value : Number(raw);
}

/**
 * Why no runner would accept a task, by the original's rules: names of processes, the plan, the form of ports, refs
 * that stay unbound when the task id, the user and all ports are known. The task is bound and typechecked.
 */
export function validate(schema: Schema, task: StructNode): Problem[] {
  const whole: ConfigPlace = { field: '', origin: task.origin };
  if (task.type !== schema.task) {
    const message = `a ${task.type.name} is exported, not a Task`;
    return [problemAt(whole, 'task-missing', 'error', message, 'put it into the processes of a Task')];
  }
  if (!task.fields.has('processes')) {
    return [problemAt(whole, 'task-empty', 'error', 'the task has no processes')];
  }
  try {
    return [...nameProblems(task), ...planProblems(task), ...refProblems(schema, task)];
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    // The first interpolation was fine: an escape has become an invalid tag, or a value is not of its type any more.
    const problems = typeProblems(interpolate(task).node);
    return problems.length > 0 ? problems : [problemAt(whole, 'task-invalid', 'error', error.message)];
  }
}

/** Throws LimitError for a task that is larger than any real one. */
export function limitSize(schema: Schema, task: StructNode): void {
  if (task.type !== schema.task) return;
  const constraints = itemsWritten(task, 'constraints');
  limited('processes', itemsWritten(task, 'processes').length);
  limited('constraints', constraints.length);
  let names = 0;
  for (const constraint of constraints) {
    if (constraint.kind === 'struct') names += itemsWritten(constraint, 'order').length;
  }
  limited('names', names);
}

/** Elements of a list field as they are in the config. */
function itemsWritten(node: StructNode, field: string): readonly Node[] {
  const list = node.fields.get(field);
  return list?.kind === 'list' ? list.items : [];
}

function nameProblems(task: StructNode): Problem[] {
  return (itemsOf(task, 'processes') ?? []).flatMap((process) => {
    const name = pythonText(rawOf(process, 'name') ?? null);
    const cleared = PLANNED_FIELDS.filter((field) => !process.fields.has(field)).map((field) => {
      const place = { process: () => name, field, origin: process.origin ?? task.origin };
      return problemAt(place, 'field-missing', 'error', 'it is set to Empty, but a runner needs it');
    });
    if (PROCESS_NAME.test(name)) return cleared;
    const why = name === '' ? 'is empty' : name.startsWith('.') ? 'begins with a dot' : 'contains a /';
    const place = { process: () => name, field: 'name', origin: process.origin ?? task.origin };
    return [
      ...cleared,
      problemAt(place, 'name-invalid', 'error', `the name of a process ${why}: it names its log directory`),
    ];
  });
}

function planProblems(task: StructNode): Problem[] {
  const { processes, orders, regular, finalizing } = taskPlan(task);
  const finals = new Map(processes.map(({ name, final }) => [name, final]));
  const seen = new Set<string>();
  const indexes = new Map(orders.map((order, i) => [order, i]));
  return [...regular.faults, ...finalizing.faults].flatMap((fault) => {
    const { message, hint, process } = faultText(fault, finals);
    if (seen.has(message)) return [];
    seen.add(message);
    const index = 'order' in fault ? indexes.get(fault.order) : undefined;
    const field = index === undefined ? 'constraints' : `constraints[${index}].order`;
    const problem = problemAt({ field, origin: task.origin }, 'plan-invalid', 'error', message, hint);
    return [process === undefined ? problem : { ...problem, process }];
  });
}

function faultText(
  fault: PlanFault,
  finals: ReadonlyMap<string, boolean>,
): { message: string; hint?: string; process?: string } {
  switch (fault.kind) {
    case 'empty':
      return { message: 'a constraint has no names in its order' };
    case 'daemon':
      return {
        message: `process '${fault.process}' may not depend on the daemon '${fault.on}', which never finishes`,
        process: fault.process,
      };
    case 'ephemeral':
      return {
        message: `process '${fault.process}' may not depend on '${fault.on}', which is ephemeral: only ephemeral ones may`,
        process: fault.process,
      };
    case 'cycle':
      return { message: `processes wait for each other: ${cycleText(fault.cycle)}` };
    case 'mixed': {
      const order = listed(fault.order);
      const stranger = fault.unknown.find((name) => !finals.has(name));
      if (stranger === undefined) {
        const final = fault.order.filter((name) => finals.get(name));
        return {
          message: `the order ${order} mixes regular processes with final ones (${listed(final)})`,
          hint: 'final processes run after all others anyway: leave them out',
        };
      }
      return {
        message: `the order ${order} names '${stranger}', which is not a process of the task`,
        hint: 'the order of a SequentialTask is fixed when it is created: replacing its processes does not change it',
      };
    }
  }
}

/** The cycle; only the beginning and the end of a long one. */
function cycleText(cycle: readonly string[]): string {
  const whole = cycle.length <= 20;
  const shown = whole ? cycle : [...cycle.slice(0, 10), '…', ...cycle.slice(-3)];
  return `${shown.join(' before ')}${whole ? '' : ` (${grouped(cycle.length - 1)} processes)`}`;
}

/** `{{thermos.ports[NAME]}}`: the name; undefined if it is not a port, null for a port in another form. */
export function portOf({ parts }: Address): string | null | undefined {
  const [first, second, third] = parts;
  if (third === undefined || mount(first) !== '.thermos' || mount(second) !== '.ports') return undefined;
  return third.kind === 'index' ? third.value : null;
}

function mount(part: Address['parts'][number] | undefined): string {
  return part === undefined || part.kind === 'index' ? '' : `.${part.value}`;
}

/** The ports that the processes of a valid task need, sorted. */
export function portsOf(task: StructNode): string[] {
  const names = new Set<string>();
  if (!task.fields.has('processes')) return [];
  for (const process of itemsOf(interpolate(task).node, 'processes') ?? []) {
    for (const ref of interpolate(process).refs) {
      const name = portOf(ref);
      if (typeof name === 'string') names.add(name);
    }
  }
  return [...names].sort();
}

/** What a runner knows that the config does not. */
export interface RunContext {
  readonly taskId: string;
  readonly user: string;
  readonly ports: ReadonlyMap<string, number>;
}

/** The task with what the runner knows filled in; interpolated twice, as the original does. */
export function inContext(schema: Schema, task: StructNode, { taskId, user, ports }: RunContext): StructNode {
  const portMap = new Dict([...ports].map(([name, port]) => [name, BigInt(port)] as const));
  const fields: [string, Raw][] = [
    ['task_id', taskId],
    ['user', user],
    ['ports', portMap],
  ];
  const context = constructFrom(schema.context, [], fields);
  return interpolate(bind(task, [], [['thermos', context]])).node;
}

function refProblems(schema: Schema, task: StructNode): Problem[] {
  const { refs } = interpolate(task);
  const problems: Problem[] = [];
  const bad = refs.filter((ref) => portOf(ref) === null);
  const ports = new Map(refs.flatMap((ref, i) => (portOf(ref) ? [[portOf(ref) as string, 30000 + i]] : [])));
  const once = inContext(schema, task, { taskId: 'task', user: 'user', ports });
  const badPorts = new Set(bad.map(addressText));
  const sources = [...partsOf(task)];
  for (const { place, ref, part } of unboundIn(once)) {
    const written = textOf(sources[part]);
    const tag = tagText(ref);
    const address = addressText(ref);
    const lost = escapesIn(written).get(tag);
    if (badPorts.has(address)) {
      const right = `{{thermos.ports[${address.slice('thermos.ports.'.length)}]}}`;
      problems.push(problemAt(place, 'port-invalid', 'error', `${tag} is not a port`, `write ${right}`));
    } else if (lost !== undefined) {
      const message = `the escaped ${lost} becomes ${tag} before the command runs, and nothing is bound to it`;
      problems.push(problemAt(place, 'escape-lost', 'error', message, `write ${escaped(address)}`));
    } else {
      problems.push(
        problemAt(place, 'ref-unbound', 'error', `nothing is bound to ${tag}`, refHint(written, ref)),
      );
    }
  }
  return problems;
}

/** A tag with a leading dot is not a typo: it is meant for another template language. */
function refHint(written: string, ref: Address): string {
  const content = `.${addressText(ref)}`;
  if (!written.includes(`{{${content}}}`)) return hintFor(ref);
  return `the leading dot of {{${content}}} is dropped; to pass it to the command unchanged, write ${escaped(content)}`;
}

function textOf(part: Leaf | MissingField | undefined): string {
  const raw = part !== undefined && 'node' in part && part.node.kind === 'simple' ? part.node.raw : '';
  return typeof raw === 'string' ? raw : '';
}

/** Tags that are escaped, but not often enough for a run: what each becomes, and how it is written. */
export function escapesIn(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [tag, inside = ''] of text.matchAll(/\{\{(&[^{}]+)\}\}/g)) {
    // At least one character is content, whatever it is; an `&` at the end belongs to the form `{{&…&}}`.
    const ampersands = Math.min(/^&+/.exec(inside)?.[0].length ?? 0, inside.length - 1);
    const rest = inside.slice(ampersands);
    const content = rest.length > 1 && rest.endsWith('&') ? rest.slice(0, -1) : rest;
    if (ampersands < ampersandsFor(content)) found.set(`{{${content}}}`, tag);
  }
  return found;
}
