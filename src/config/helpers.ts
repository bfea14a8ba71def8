import { equal, hashText } from './compare.js';
import { constructFrom, described, type Keywords, override } from './construct.js';
import { attribute, get, interpolate, nodeText } from './interpolate.js';
import { limited } from './limits.js';
import {
  Dict,
  EMPTY,
  type Empty,
  Float,
  type ListNode,
  ModelError,
  type Node,
  type Raw,
  type SourceLine,
  type StructNode,
  type StructType,
} from './model.js';
import { isList, isNode, pythonText } from './python-text.js';
import type { Schema } from './schema.js';
import { UNITS } from './schema.js';

/** The fields that combine and concat compute from their tasks. */
const COMPUTED = ['resources', 'constraints', 'finalization_wait'];

const RESOURCES = ['cpu', 'ram', 'disk', 'gpu'];

/** The functions that configs use to combine tasks; each does what the original's does. */
export class Helpers {
  readonly #schema: Schema;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** `order(a, 'b', …)`: a list of one constraint. */
  order(processes: readonly Raw[]): Node[] {
    return [
      this.#make(this.#schema.constraint, { order: processes.map((process) => this.#nameIn(process)) }),
    ];
  }

  #nameIn(process: Raw): Raw {
    if (typeof process === 'string') return process;
    if (isNode(process) && process.type === this.#schema.process) return attribute(process, 'name');
    throw new ModelError('ValueError', `Unknown value for process order: ${described(process)}`);
  }

  /** `SequentialTask(…)`: one constraint over the processes that the task has now. */
  sequentialTask(args: readonly Raw[], keywords: Keywords, origin?: SourceLine): Node {
    const task = this.#newTask(args, keywords, origin);
    const constraints = attribute(task, 'constraints');
    if (constraints !== EMPTY && elements(constraints).length > 0) {
      throw new ModelError(
        'ValueError',
        'Cannot turn a Task with existing constraints into a SequentialTask!',
      );
    }
    const processes = attribute(task, 'processes');
    if (processes === EMPTY) return task;
    return override(task, [['constraints', this.order(elements(processes))]]);
  }

  simpleTask(name: Raw, command: Raw, origin?: SourceLine): Node {
    const process = this.#make(this.#schema.process, { name, cmdline: command }, origin);
    const resources = this.#make(this.#schema.resources, {
      cpu: new Float(1),
      ram: UNITS.GB as bigint,
      disk: UNITS.GB as bigint,
    });
    return this.#make(this.#schema.task, { name, processes: [process], resources }, origin);
  }

  /** The tasks side by side: the last one with the processes and constraints of all, resources summed. */
  combineTasks(tasks: readonly Raw[], keywords: Keywords, origin?: SourceLine): Node {
    const last = tasks.at(-1);
    if (last === undefined) return this.#newTask([], [], origin);
    refuseComputed('combine_tasks', keywords);
    return override(
      taskIn(last),
      [
        ['processes', this.processesMerge(tasks)],
        ['resources', this.resourcesSum(tasks.map((task) => attribute(taskIn(task), 'resources')))],
        ['constraints', this.constraintsMerge(tasks)],
        ['finalization_wait', this.finalizationWaitMax(waits(tasks))],
        ...keywords,
      ],
      origin,
    );
  }

  /** The tasks one after the other: each process of one before each of the next, resources the largest. */
  concatTasks(tasks: readonly Raw[], keywords: Keywords, origin?: SourceLine): Node {
    const last = tasks.at(-1);
    if (last === undefined) return this.#newTask([], [], origin);
    refuseComputed('concat_tasks', keywords);
    const constraints = this.constraintsMerge(tasks);
    for (const [i, task] of tasks.slice(0, -1).entries()) {
      const next = processesOf(tasks[i + 1] as Raw);
      for (const before of processesOf(task)) {
        for (const after of next) {
          if (!equal(before, after)) {
            for (const each of this.order([before, after])) constraints.push(each);
          }
          limited('constraints', constraints.length);
        }
      }
    }
    return override(
      taskIn(last),
      [
        ['processes', this.processesMerge(tasks)],
        ['resources', this.resourcesMax(tasks.map((task) => attribute(taskIn(task), 'resources')))],
        ['constraints', constraints],
        ['finalization_wait', this.finalizationWaitSum(waits(tasks))],
        ...keywords,
      ],
      origin,
    );
  }

  /** Equal ones once, in order of appearance (the original's order was that of a set). */
  processesMerge(tasks: readonly Raw[]): Node[] {
    return distinct(tasks.flatMap(processesOf));
  }

  constraintsMerge(tasks: readonly Raw[]): Node[] {
    return distinct(tasks.flatMap((task) => itemsOf(attribute(taskIn(task), 'constraints'))));
  }

  resourcesSum(resources: readonly Raw[]): Node {
    return this.#resources(resources, add);
  }

  resourcesMax(resources: readonly Raw[]): Node {
    return this.#resources(resources, (a, b) => (smaller(a, b) ? b : a));
  }

  finalizationWaitSum(units: readonly Raw[]): Raw {
    return units.map(safeGet).reduce<Raw>(add, 0n);
  }

  finalizationWaitMax(units: readonly Raw[]): Raw {
    return units.map(safeGet).reduce<Raw>((a, b) => (smaller(a, b) ? b : a), 0n);
  }

  optionalResources(resources: Raw): Raw {
    return resources === EMPTY ? this.#make(this.#schema.resources, {}) : resources;
  }

  #resources(all: readonly Raw[], fold: (a: Raw, b: Raw) => Raw): Node {
    const none = this.#make(this.#schema.resources, { cpu: 0n, ram: 0n, disk: 0n, gpu: 0n });
    return all
      .map((each) => this.optionalResources(each))
      .reduce<Node>((sum, each) => {
        if (!isNode(each)) throw new ModelError('AttributeError', `${described(each)} is not Resources`);
        const fields = RESOURCES.map((name) => [
          name,
          fold(safeGet(attribute(sum, name)), safeGet(attribute(each, name))),
        ]);
        return this.#make(this.#schema.resources, Object.fromEntries(fields));
      }, none);
  }

  /** `export(x)`: a dict becomes a Task, anything else stays unchanged. */
  exported(value: Raw, origin?: SourceLine): Raw {
    return value instanceof Dict ? this.#newTask([value], [], origin) : value;
  }

  #newTask(args: readonly Raw[], keywords: Keywords, origin?: SourceLine): StructNode {
    return constructFrom(this.#schema.task, args, keywords, origin) as StructNode;
  }

  #make(type: StructType, fields: Readonly<Record<string, Raw>>, origin?: SourceLine): StructNode {
    return constructFrom(type, [], Object.entries(fields), origin) as StructNode;
  }
}

/** `java_options` and `python_options`: the options on the command line of such a program. */
export function options(style: 'java' | 'python', args: readonly Raw[], keywords: Keywords): string {
  const words: string[] = [];
  const render = (name: Raw, value: Raw): void => {
    if (typeof name !== 'string') {
      throw new ModelError('TypeError', `names of options must be text, got ${described(name)}`);
    }
    const option = `${style === 'python' && [...name].length !== 1 ? '--' : '-'}${name}`;
    words.push(isTrue(value) ? `${option} ${isNode(value) ? nodeText(value) : pythonText(value)}` : option);
  };
  for (const arg of args) {
    if (typeof arg === 'string') render(arg, null);
    else if (arg instanceof Dict) for (const [name, value] of arg.entries) render(name, value);
    else {
      throw new ModelError('ValueError', `Got an unexpected argument to render_options: ${described(arg)}`);
    }
  }
  for (const [name, value] of keywords) render(name, value);
  return words.join(' ');
}

/** 0 for Empty, else `.get()`. */
export function safeGet(unit: Raw): Raw {
  if (unit === EMPTY) return 0n;
  if (isNode(unit)) return get(unit);
  throw new ModelError('AttributeError', `${described(unit)} has no attribute 'get'`);
}

function taskIn(raw: Raw): StructNode {
  if (isNode(raw) && raw.kind === 'struct') return raw;
  throw new ModelError('AttributeError', `tasks expected, got ${described(raw)}`);
}

function waits(tasks: readonly Raw[]): (Node | Empty)[] {
  return tasks.map((task) => attribute(taskIn(task), 'finalization_wait'));
}

function processesOf(task: Raw): readonly Node[] {
  return itemsOf(attribute(taskIn(task), 'processes'));
}

/** Iterating over a list interpolates it. */
function itemsOf(list: Node | Empty): readonly Node[] {
  if (list === EMPTY) throw new ModelError('TypeError', "'type' object is not iterable: the field is Empty");
  return elements(list);
}

function elements(list: Node): readonly Node[] {
  return (interpolate(list).node as ListNode).items;
}

function distinct(nodes: readonly Node[]): Node[] {
  const seen = new Map<string, Node[]>();
  return nodes.filter((node) => {
    const key = hashText(node);
    const alike = seen.get(key);
    if (alike === undefined) seen.set(key, [node]);
    else if (alike.some((other) => equal(other, node))) return false;
    else alike.push(node);
    return true;
  });
}

function refuseComputed(name: string, keywords: Keywords): void {
  const given = keywords.find(([keyword]) => COMPUTED.includes(keyword));
  if (given === undefined) return;
  throw new ModelError('TypeError', `${name}() got multiple values for keyword argument '${given[0]}'`);
}

type Quantity = bigint | Float;

function add(a: Raw, b: Raw): Raw {
  const [left, right] = [quantity(a), quantity(b)];
  if (typeof left === 'bigint' && typeof right === 'bigint') return left + right;
  return new Float(asNumber(left) + asNumber(right));
}

/** In Python 2 any number is smaller than any text: an unbound ref is the largest, and may be bound later. */
function smaller(a: Raw, b: Raw): boolean {
  if (typeof a === 'string' || typeof b === 'string') {
    return typeof a === 'string' && typeof b === 'string' ? a < b : typeof b === 'string';
  }
  return asNumber(quantity(a)) < asNumber(quantity(b));
}

function quantity(raw: Raw): Quantity {
  if (typeof raw === 'bigint' || raw instanceof Float) return raw;
  if (typeof raw === 'boolean') return raw ? 1n : 0n;
  throw new ModelError(
    'TypeError',
    `a number expected, got ${described(raw)}: what it refers to is not bound`,
  );
}

function asNumber(value: Quantity): number {
  return typeof value === 'bigint' ? Number(value) : value.value;
}

function isTrue(raw: Raw): boolean {
  if (raw === null || raw === false || raw === '' || raw === 0n) return false;
  if (raw instanceof Float) return raw.value !== 0;
  if (raw instanceof Dict) return raw.entries.length > 0;
  return isList(raw) ? raw.length > 0 : true;
}
