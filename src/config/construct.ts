import {
  type ChoiceNode,
  Dict,
  EMPTY,
  type Environment,
  type MapNode,
  ModelError,
  type Node,
  Other,
  type Raw,
  type Scope,
  type SimpleNode,
  type SourceLine,
  type StructNode,
  type Type,
} from './model.js';
import { hasTag, mountPoint, parseAddress, split } from './mustache.js';
import { isList, isNode, pythonClass, pythonRepr, pythonText } from './python-text.js';

/** Keyword arguments, in order. */
export type Keywords = readonly (readonly [name: string, value: Raw])[];

const NO_SCOPES: readonly Scope[] = [];

/** `T(value)`: the value is kept unchanged and coerced later, but a struct, list or map must look like one. */
export function construct(type: Type, raw: Raw, origin?: SourceLine): Node {
  switch (type.kind) {
    case 'List':
      return { kind: 'list', type, scopes: NO_SCOPES, origin, items: elements(raw, type.item, type.name) };
    case 'Map':
      return constructMap(type, [raw], origin);
    case 'Struct':
      return constructStruct(type, [raw], [], origin);
    case 'Choice':
      return { kind: 'choice', type, scopes: NO_SCOPES, origin, raw } satisfies ChoiceNode;
    case 'Enum':
      if (!mayBecome(raw, type.values)) {
        throw new ModelError(
          'ValueError',
          `${type.name} only accepts the following values: ${type.values.join(', ')}`,
        );
      }
      return { kind: 'simple', type, scopes: NO_SCOPES, origin, raw } satisfies SimpleNode;
    default:
      return { kind: 'simple', type, scopes: NO_SCOPES, origin, raw } satisfies SimpleNode;
  }
}

/** An object of the type is used unchanged; anything else is made one. */
export function accept(type: Type, raw: Raw): Node {
  return isNode(raw) && raw.type === type ? raw : construct(type, raw);
}

/** `T(…)` with any arguments. */
export function constructFrom(
  type: Type,
  args: readonly Raw[],
  keywords: Keywords,
  origin?: SourceLine,
): Node {
  if (type.kind === 'Struct') return constructStruct(type, args, keywords, origin);
  const [keyword] = keywords;
  if (keyword !== undefined) {
    throw new ModelError('TypeError', `${type.name}() got an unexpected keyword argument '${keyword[0]}'`);
  }
  if (type.kind === 'Map') return constructMap(type, args, origin);
  if (args.length !== 1) {
    throw new ModelError('TypeError', `${type.name}() takes exactly one value, got ${args.length}`);
  }
  return construct(type, args[0] as Raw, origin);
}

/** A value with refs is known only once they are bound. */
function mayBecome(raw: Raw, values: readonly string[]): boolean {
  if (typeof raw === 'string') {
    return (
      values.includes(raw) || (hasTag(raw) && split(raw, false).some((piece) => typeof piece !== 'string'))
    );
  }
  return false;
}

function elements(raw: Raw, type: Type, name: string): readonly Node[] {
  if (isList(raw)) return raw.map((each) => accept(type, each));
  if (raw instanceof Other && raw.generator) {
    throw new ModelError('TypeError', `${name} expects a list, got a generator: write list(…) around it`);
  }
  throw new ModelError('ValueError', `${name} expects a list, got ${described(raw)}`);
}

function constructMap(type: MapNode['type'], args: readonly Raw[], origin?: SourceLine): MapNode {
  const [first] = args;
  let pairs: readonly (readonly [Raw, Raw])[];
  if (args.length === 1 && first instanceof Dict) pairs = first.entries;
  else pairs = args.map((arg) => pairOf(arg, type.name));
  const entries = pairs.map(([key, value]) => [accept(type.key, key), accept(type.value, value)] as const);
  return { kind: 'map', type, scopes: NO_SCOPES, origin, entries };
}

function pairOf(raw: Raw, name: string): [Raw, Raw] {
  const parts = typeof raw === 'string' ? [...raw] : isList(raw) ? raw : [];
  if (parts.length === 2) return parts as [Raw, Raw];
  throw new ModelError(
    'ValueError',
    `${name} expects a dict or pairs of key and value, got ${described(raw)}`,
  );
}

function constructStruct(
  type: StructNode['type'],
  args: readonly Raw[],
  keywords: Keywords,
  origin?: SourceLine,
): StructNode {
  const fields = new Map<string, Node>();
  for (const field of type.fields.values()) {
    if (field.default !== undefined) fields.set(field.name, field.default);
  }
  for (const arg of args) {
    if (!(arg instanceof Dict)) {
      throw new ModelError('ValueError', `${type.name} expects a dict, got ${described(arg)}`);
    }
    update(type, fields, arg.entries);
  }
  update(type, fields, keywords);
  return { kind: 'struct', type, scopes: NO_SCOPES, origin, fields };
}

/** `obj(field=…)`: each named field is replaced as a whole, bindings stay. */
export function override(node: StructNode, keywords: Keywords, origin?: SourceLine): StructNode {
  const fields = new Map(node.fields);
  update(node.type, fields, keywords);
  return { ...node, fields, origin: origin ?? node.origin };
}

function update(
  type: StructNode['type'],
  fields: Map<string, Node>,
  entries: readonly (readonly [Raw, Raw])[],
): void {
  for (const [name, value] of entries) {
    if (typeof name !== 'string') {
      throw new ModelError('TypeError', `names of fields must be text, got ${pythonRepr(name)}`);
    }
    const field = type.fields.get(name);
    if (field === undefined) throw new ModelError('AttributeError', `Unknown schema attribute ${name}`);
    if (value === EMPTY) fields.delete(name);
    else fields.set(name, accept(field.type, value));
  }
}

/** What a value is, for a message. */
export function described(raw: Raw): string {
  return isNode(raw) ? `a ${raw.type.name}` : `${pythonClass(raw)} ${pythonRepr(raw)}`.slice(0, 200);
}

/** `obj.bind(…)`: later arguments win over earlier ones, and all of them over existing bindings. */
export function bind<T extends Node>(node: T, args: readonly Raw[], keywords: Keywords): T {
  return { ...node, scopes: [...scopesFrom(args, keywords).reverse(), ...node.scopes] };
}

/** `obj.in_scope(…)`: the opposite of `bind`, existing bindings win. */
export function boundBehind<T extends Node>(node: T, args: readonly Raw[], keywords: Keywords): T {
  return inScope(node, scopesFrom(args, keywords));
}

/** The object as seen from inside these scopes. */
export function inScope<T extends Node>(node: T, scopes: readonly Scope[]): T {
  if (scopes.length === 0) return node;
  return { ...node, scopes: node.scopes.length === 0 ? scopes : [...node.scopes, ...scopes] };
}

function scopesFrom(args: readonly Raw[], keywords: Keywords): Scope[] {
  const scopes = args.map(scopeFrom);
  if (keywords.length > 0) scopes.push(environment([], keywords));
  return scopes;
}

function scopeFrom(raw: Raw): Scope {
  if (raw instanceof Dict) return environment([raw], []);
  if (isEnvironment(raw)) return raw;
  if (isNode(raw) && (raw.kind === 'struct' || raw.kind === 'list' || raw.kind === 'map')) return raw;
  if (raw === null || isList(raw)) throw notBindable(raw);
  throw new ModelError('TypeError', `bind() takes dicts, structs and NAME=VALUE, got ${described(raw)}`);
}

function isEnvironment(raw: Raw): raw is Environment {
  return typeof raw === 'object' && raw !== null && 'kind' in raw && raw.kind === 'environment';
}

/** `Environment(…)`: keys are addresses, nested dicts become longer addresses, the last one wins. */
export function environment(args: readonly Raw[], keywords: Keywords): Environment {
  const table = new Map<string, string | Node>();
  for (const arg of args) {
    if (arg instanceof Dict) mount(table, arg.entries);
    else if (isEnvironment(arg)) for (const [key, value] of arg.table) table.set(key, value);
    else throw new ModelError('ValueError', `Environment expects dict or Environment, got ${described(arg)}`);
  }
  mount(table, keywords);
  return { kind: 'environment', table };
}

function mount(table: Map<string, string | Node>, entries: readonly (readonly [Raw, Raw])[]): void {
  for (const [key, raw] of entries) {
    const value = bindable(raw);
    const point = mountPoint(addressOf(key));
    if (typeof value === 'object' && value.kind === 'environment') {
      for (const [below, each] of value.table) table.set(point + below, each);
    } else {
      table.set(point, value);
    }
  }
}

function addressOf(key: Raw): readonly { kind: 'dereference' | 'index'; value: string }[] {
  if (typeof key === 'string') return parseAddress(key).parts;
  if (typeof key === 'object' && key !== null && 'parts' in key) return key.parts;
  throw new ModelError('InvalidRefError', `Invalid address: ${pythonRepr(key)}`);
}

function bindable(raw: Raw): string | Node | Environment {
  if (raw instanceof Dict) return environment([raw], []);
  if (isNode(raw) || isEnvironment(raw)) return raw;
  if (isNumber(raw) || typeof raw === 'string') return pythonText(raw);
  throw notBindable(raw);
}

function isNumber(raw: Raw): boolean {
  return typeof raw === 'bigint' || typeof raw === 'boolean' || pythonClass(raw) === 'float';
}

function notBindable(raw: Raw): ModelError {
  return new ModelError(
    'ValueError',
    `Environment values must be strings, numbers, Objects or other Environments. Got ${pythonClass(raw)} instead.`,
  );
}
