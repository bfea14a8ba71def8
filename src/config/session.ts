import { check } from './check.js';
import { equal, hashText, less } from './compare.js';
import {
  accept,
  bind,
  boundBehind,
  constructFrom,
  described,
  environment,
  type Keywords,
  override,
} from './construct.js';
import { Helpers, options, safeGet } from './helpers.js';
import { attribute, find, get, interpolate, lookUp, nodeRepr, nodeText, stableText } from './interpolate.js';
import { LimitError, limited, Meter, made, shortened, step } from './limits.js';
import {
  Address,
  Dict,
  EMPTY,
  type Environment,
  type EvaluationSession,
  type Field,
  Float,
  ModelError,
  type Node,
  type NodeId,
  Other,
  type PythonError,
  type Raw,
  type SourceLine,
  type Type,
  type TypeDescription,
  type TypeId,
  type Wire,
} from './model.js';
import { addressText, parseAddress, split } from './mustache.js';
import type { Dialect } from './program.js';
import { floatRepr, floatText, isList, isNode } from './python-text.js';
import { Schema } from './schema.js';
import { describeType, TypeTable } from './types.js';
import { argumentsOf, ForgedError, isId, isPair, isRecord } from './wire.js';

type At = [path: string, line: number] | null;
type KW = [string, Wire][];
type WireField = [name: string, field: { type: TypeId; required: boolean; default: NodeId | null }];

/** Estimates: the size of an object, of each of its fields, and of each scope that is bound to it. */
const OBJECT_BYTES = 200;
const FIELD_BYTES = 80;
const SCOPE_BYTES = 8;

/** What one evaluation has made; `model.ts` describes how Python calls it. */
export class ConfigSession implements EvaluationSession {
  readonly types = new TypeTable();
  readonly schema = new Schema(this.types);
  readonly helpers = new Helpers(this.schema);
  readonly exported: { value: Raw; origin?: SourceLine }[] = [];
  jobs: Raw | undefined;
  readonly #nodes: (Node | Environment)[] = [];
  readonly #ids = new Map<Node | Environment, NodeId>();
  /** What the evaluation uses, in this session and after it. */
  readonly meter: Meter;
  /** Why the session refuses every further call, even if the config catches the exception. */
  #refused: LimitError | ForgedError | undefined;

  constructor(meter: Meter = new Meter()) {
    this.meter = meter;
  }

  get refused(): LimitError | ForgedError | undefined {
    return this.#refused;
  }

  call(operation: string, args: string): string {
    try {
      if (this.#refused !== undefined) throw this.#refused;
      return this.meter.run(() => this.#answer(operation, args));
    } catch (error) {
      if (error instanceof LimitError || error instanceof ForgedError) this.#refused ??= error;
      return JSON.stringify({ error: pythonErrorOf(error) });
    }
  }

  #answer(operation: string, args: string): string {
    limited('call', args.length);
    made(args.length);
    if (this.#nodes.length === 0) this.#encodeNames();
    const given = argumentsOf(operation, args);
    const run = this.#operations.get(operation) as (...args: unknown[]) => unknown;
    const answer = JSON.stringify({ value: run(...given) });
    limited('answer', answer.length);
    return answer;
  }

  // biome-ignore lint/suspicious/noExplicitAny: the arguments are what model.ts says of each operation
  readonly #operations = new Map<string, (...args: any[]) => unknown>([
    ['namespace', (dialect: Dialect) => this.#namespace(dialect)],
    ['type', (id: TypeId) => this.#described(this.types.get(id))],
    ['type.list', (item: TypeId) => this.#described(this.types.list(this.types.get(item)))],
    [
      'type.map',
      (key: TypeId, value: TypeId) =>
        this.#described(this.types.map(this.types.get(key), this.types.get(value))),
    ],
    [
      'type.enum',
      (name: Wire, values: Wire[]) =>
        this.#described(this.types.enum(nameIn(name, 'Enum'), textsIn(values, 'the values of an Enum'))),
    ],
    [
      'type.choice',
      (name: Wire, choices: TypeId[]) =>
        this.#described(
          this.types.choice(
            nameIn(name, 'Choice'),
            choices.map((id) => this.types.get(id)),
          ),
        ),
    ],
    [
      'type.struct',
      (name: string, fields: WireField[]) =>
        this.#described(
          this.schema.struct(
            name,
            fields.map((field) => this.#field(field)),
          ),
        ),
    ],
    ['default', (type: TypeId, value: Wire) => this.#default(this.types.get(type), this.#decode(value))],
    [
      'new',
      (type: TypeId, args: Wire[], keywords: KW, at: At) =>
        this.#encode(
          constructFrom(this.types.get(type), this.#all(args), this.#keywords(keywords), originOf(at)),
        ),
    ],
    ['call', (id: NodeId, keywords: KW, at: At) => this.#override(id, keywords, at)],
    [
      'bind',
      (id: NodeId, args: Wire[], keywords: KW) =>
        this.#encode(bind(this.#node(id), this.#all(args), this.#keywords(keywords))),
    ],
    [
      'in_scope',
      (id: NodeId, args: Wire[], keywords: KW) =>
        this.#encode(boundBehind(this.#node(id), this.#all(args), this.#keywords(keywords))),
    ],
    [
      'mod',
      (id: NodeId, value: Wire) =>
        this.#encode(interpolate(bind(this.#node(id), [this.#decode(value)], [])).node),
    ],
    ['interpolate', (id: NodeId) => this.#interpolate(id)],
    ['check', (id: NodeId) => check(this.#node(id))],
    ['get', (id: NodeId) => this.#encode(get(this.#node(id)))],
    ['attribute', (id: NodeId, name: string) => this.#encode(attribute(this.#node(id), name))],
    ['has', (id: NodeId, name: string) => this.#has(this.#node(id), name)],
    ['text', (id: NodeId) => nodeText(this.#node(id))],
    ['repr', (id: NodeId) => nodeRepr(this.#node(id))],
    ['equal', (id: NodeId, other: Wire) => equal(this.#node(id), this.#decode(other))],
    ['less', (id: NodeId, other: Wire) => less(this.#node(id), this.#decode(other))],
    ['hash', (id: NodeId) => hashText(this.#node(id))],
    ['items', (id: NodeId) => this.#items(this.#node(id)).map((each) => this.#encode(each))],
    ['item', (id: NodeId, key: Wire) => this.#encode(this.#item(this.#node(id), this.#decode(key)))],
    ['contains', (id: NodeId, value: Wire) => this.#contains(this.#node(id), this.#decode(value))],
    ['find', (id: NodeId, address: string) => this.#find(this.#object(id), address)],
    ['unwrap', (id: NodeId) => this.#encode(interpolate(this.#node(id)).node)],
    [
      'environment',
      (args: Wire[], keywords: KW) => this.#encode(environment(this.#all(args), this.#keywords(keywords))),
    ],
    ['ref', (address: string) => parseAddress(address).parts],
    [
      'mustache.split',
      (text: Wire, keep: boolean) =>
        split(textIn(text, 'a template'), keep).map((piece) => this.#encode(piece)),
    ],
    [
      'order',
      (processes: Wire[]) => this.helpers.order(this.#all(processes)).map((each) => this.#encode(each)),
    ],
    [
      'sequential_task',
      (args: Wire[], keywords: KW, at: At) =>
        this.#encode(this.helpers.sequentialTask(this.#all(args), this.#keywords(keywords), originOf(at))),
    ],
    [
      'simple_task',
      (name: Wire, command: Wire, at: At) =>
        this.#encode(this.helpers.simpleTask(this.#decode(name), this.#decode(command), originOf(at))),
    ],
    [
      'combine_tasks',
      (tasks: Wire[], keywords: KW, at: At) =>
        this.#encode(this.helpers.combineTasks(this.#all(tasks), this.#keywords(keywords), originOf(at))),
    ],
    [
      'concat_tasks',
      (tasks: Wire[], keywords: KW, at: At) =>
        this.#encode(this.helpers.concatTasks(this.#all(tasks), this.#keywords(keywords), originOf(at))),
    ],
    [
      'options',
      (style: 'java' | 'python', args: Wire[], keywords: KW) =>
        options(style, this.#all(args), this.#keywords(keywords)),
    ],
    ['units', (name: string, args: Wire[]) => this.#encode(this.#units(name, this.#all(args)))],
    ['export', (value: Wire, at: At) => this.#export(this.#decode(value), originOf(at))],
    [
      'jobs',
      (value: Wire) => {
        this.jobs = this.#decode(value);
        return null;
      },
    ],
    ['float_text', (value: Wire) => this.#floatText(this.#decode(value))],
  ]);

  #floatText(value: Raw): string {
    if (value instanceof Float) return floatText(value.value);
    throw new ForgedError('float_text takes a float');
  }

  #namespace(dialect: Dialect): { types: Record<string, TypeId>; values: Record<string, Wire> } {
    const { types, values } = this.schema.names(dialect);
    return {
      types: Object.fromEntries([...types].map(([name, { id }]) => [name, id])),
      values: Object.fromEntries([...values].map(([name, value]) => [name, this.#encode(value)])),
    };
  }

  #described(type: Type): TypeDescription {
    return describeType(type, ({ default: value }) => (value === undefined ? null : this.#id(value)));
  }

  #field([name, { type, required, default: id }]: WireField): Field {
    return {
      name,
      type: this.types.get(type),
      required,
      default: id === null ? undefined : this.#node(id),
    };
  }

  #default(type: Type, value: Raw): Wire {
    return value === EMPTY ? { empty: true } : this.#encode(accept(type, value));
  }

  #override(id: NodeId, keywords: KW, at: At): Wire {
    const node = this.#node(id);
    if (node.kind !== 'struct') throw new ModelError('TypeError', `a ${node.type.name} is not callable`);
    return this.#encode(override(node, this.#keywords(keywords), originOf(at)));
  }

  #interpolate(id: NodeId): Wire {
    const { node, refs } = interpolate(this.#node(id));
    return { ...(this.#encode(node) as object), refs: refs.map(addressText) } as unknown as Wire;
  }

  #has(node: Node, name: string): boolean {
    if (node.kind === 'struct' && node.type.fields.has(name)) return node.fields.has(name);
    throw new ModelError('AttributeError', `${node.type.name} has no attribute has_${name}`);
  }

  #items(given: Node): readonly Node[] {
    const node = interpolate(given).node;
    if (node.kind === 'list') return node.items;
    if (node.kind === 'map') return node.entries.map(([key]) => key);
    throw new ModelError('TypeError', `a ${node.type.name} is not iterable`);
  }

  #item(given: Node, key: Raw): Node {
    const node = interpolate(given).node;
    if (node.kind !== 'map') throw new ModelError('TypeError', `a ${node.type.name} has no keys`);
    const value = lookUp(node, key);
    if (value === undefined) throw new ModelError('KeyError', `${described(key)} not found`);
    return value;
  }

  #contains(given: Node, value: Raw): boolean {
    const node = interpolate(given).node;
    if (node.kind === 'map') return lookUp(node, value) !== undefined;
    if (node.kind !== 'list') throw new ModelError('TypeError', `a ${node.type.name} is not a container`);
    if (isNode(value)) return node.items.some((item) => equal(item, value));
    return node.items.some((item) => stableText(get(item)) === stableText(value));
  }

  #find(scope: Node | Environment, address: string): Wire {
    const found = find(scope, parseAddress(address).parts);
    if (found !== undefined) return this.#encode(found);
    throw new ModelError('NotFound', `Could not find ${address}`);
  }

  #units(name: string, args: readonly Raw[]): Raw {
    const [first] = args;
    const all = first !== undefined && isList(first) ? first : args;
    switch (name) {
      case 'safe_get':
        return safeGet(first as Raw);
      case 'optional_resources':
        return this.helpers.optionalResources(first as Raw);
      case 'resources_sum':
        return this.helpers.resourcesSum(args);
      case 'resources_max':
        return this.helpers.resourcesMax(all);
      case 'finalization_wait_sum':
        return this.helpers.finalizationWaitSum(all);
      case 'finalization_wait_max':
        return this.helpers.finalizationWaitMax(all);
      case 'processes_merge':
        return this.helpers.processesMerge(all);
      case 'constraints_merge':
        return this.helpers.constraintsMerge(all);
      default:
        throw new ModelError('AttributeError', `Units has no attribute '${name}'`);
    }
  }

  #export(value: Raw, origin?: SourceLine): null {
    this.exported.push({ value: this.helpers.exported(value, origin), origin });
    return null;
  }

  #node(id: NodeId): Node {
    const node = this.#object(id);
    if (node.kind !== 'environment') return node;
    throw new ModelError('TypeError', 'an Environment is not a value of a config');
  }

  #object(id: NodeId): Node | Environment {
    const object = this.#nodes[id];
    if (object === undefined) throw new ForgedError(`no object has the id ${id}`);
    return object;
  }

  #id(node: Node | Environment): NodeId {
    const known = this.#ids.get(node);
    if (known !== undefined) return known;
    made(bytesOf(node));
    const id = this.#nodes.push(node) - 1;
    this.#ids.set(node, id);
    return id;
  }

  #all(wires: readonly Wire[]): Raw[] {
    return wires.map((wire) => this.#decode(wire));
  }

  #keywords(pairs: KW): Keywords {
    return pairs.map(([name, value]) => [name, this.#decode(value)] as const);
  }

  /** Throws ForgedError for anything that is not a value. */
  #decode(wire: unknown, depth = 0): Raw {
    step();
    limited('nesting', depth);
    if (wire === null || typeof wire === 'string' || typeof wire === 'boolean') return wire;
    if (Number.isSafeInteger(wire)) return BigInt(wire as number);
    if (Array.isArray(wire)) return wire.map((each) => this.#decode(each, depth + 1));
    if (!isRecord(wire)) throw new ForgedError('a number is not a Python number');
    if ('node' in wire) {
      if (!isId(wire.node)) throw new ForgedError('an object has no number');
      return this.#object(wire.node);
    }
    if ('int' in wire) return integerFrom(wire.int);
    if ('float' in wire) return new Float(floatFrom(wire.float));
    if ('dict' in wire) return this.#dict(wire.dict, depth + 1);
    if (wire.empty === true) return EMPTY;
    if (typeof wire.ref === 'string') return parseAddress(wire.ref);
    if (typeof wire.other === 'string' && typeof wire.class === 'string') {
      return new Other(shortened(wire.other), shortened(wire.class), wire.generator === true);
    }
    if (typeof wire.type === 'string') return new Other(`<class '${wire.type}'>`, "<type 'type'>");
    throw new ForgedError('a value is of an unknown kind');
  }

  #dict(pairs: unknown, depth: number): Dict {
    if (!Array.isArray(pairs) || !pairs.every(isPair)) throw new ForgedError('a dict has no pairs');
    return new Dict(pairs.map(([key, value]) => [this.#decode(key, depth), this.#decode(value, depth)]));
  }

  /** Gives the named values their ids, before anything else: the ids must be those in the snapshot. */
  #encodeNames(): void {
    for (const value of this.schema.names('aurora').values.values()) this.#encode(value);
  }

  #encode(raw: Raw): Wire {
    step();
    if (raw === null || typeof raw === 'string' || typeof raw === 'boolean') return raw;
    if (typeof raw === 'bigint') {
      const number = Number(raw);
      return Number.isSafeInteger(number) ? number : { int: String(raw) };
    }
    if (raw === EMPTY) return { empty: true };
    if (raw instanceof Float) return { float: floatRepr(raw.value) };
    if (raw instanceof Dict) {
      return { dict: raw.entries.map(([key, value]) => [this.#encode(key), this.#encode(value)]) };
    }
    if (raw instanceof Address) return { ref: addressText(raw) };
    if (raw instanceof Other) return { other: raw.repr, class: raw.className };
    if (isList(raw)) return raw.map((each) => this.#encode(each));
    return { node: this.#id(raw), type: raw.kind === 'environment' ? 'Environment' : raw.type.id };
  }
}

/** A new evaluation. */
export function createSession(meter?: Meter): ConfigSession {
  return new ConfigSession(meter);
}

function originOf(at: At): SourceLine | undefined {
  return at === null || at === undefined ? undefined : { path: at[0], line: at[1] };
}

function bytesOf(node: Node | Environment): number {
  if (node.kind === 'environment') return OBJECT_BYTES + FIELD_BYTES * node.table.size;
  const fields = node.kind === 'struct' ? node.fields.size : 0;
  return OBJECT_BYTES + FIELD_BYTES * fields + SCOPE_BYTES * node.scopes.length;
}

function integerFrom(digits: unknown): bigint {
  if (typeof digits !== 'string' || !/^-?\d+$/.test(digits))
    throw new ForgedError('an integer has no digits');
  limited('digits', digits.length);
  return BigInt(digits);
}

function floatFrom(text: unknown): number {
  if (text === 'nan') return Number.NaN;
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  if (text === '-inf') return Number.NEGATIVE_INFINITY;
  const number = typeof text === 'string' && text.length < 40 ? Number(text) : Number.NaN;
  if (Number.isNaN(number)) throw new ForgedError('a float is not a number');
  return number;
}

function textIn(wire: Wire, what: string): string {
  if (typeof wire === 'string') return wire;
  throw new ModelError('ValueError', `${what} must be text`);
}

function textsIn(wires: readonly Wire[], what: string): string[] {
  return wires.map((wire) => textIn(wire, what));
}

function nameIn(wire: Wire, what: string): string | null {
  return wire === null ? null : textIn(wire, `the name of ${what}`);
}

/** The exception that Python raises; any other error here is a bug of ours. */
function pythonErrorOf(error: unknown): { type: PythonError; message: string } {
  if (error instanceof ModelError) return { type: error.type, message: error.message };
  if (error instanceof LimitError) return { type: 'MemoryError', message: error.message };
  if (error instanceof ForgedError) return { type: 'TypeError', message: error.message };
  // Endlessly nested objects.
  if (error instanceof RangeError) {
    return { type: 'RecursionError', message: 'maximum recursion depth exceeded' };
  }
  throw error;
}
