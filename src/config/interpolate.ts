import { coerce, coercionError } from './coerce.js';
import { accept, construct, inScope } from './construct.js';
import { insideReference, LIMITS, limitText, made, replacedText, shortened, step } from './limits.js';
import {
  type Address,
  type AddressPart,
  type ChoiceNode,
  Dict,
  EMPTY,
  type Empty,
  type Environment,
  type Field,
  type MapNode,
  ModelError,
  type Node,
  type Raw,
  type Scope,
  type SimpleNode,
  type StructNode,
  type Type,
} from './model.js';
import { hasTag, mountPoint, split, tagText } from './mustache.js';
import { isNode, parseInteger, pythonRepr, pythonText } from './python-text.js';

/** The maximum of rounds in which references of a text are replaced: the original's limit. */
const MAX_ROUNDS = 100;

/** Estimates: the size of a node, and of each entry in it. */
const NODE_BYTES = 100;
const ENTRY_BYTES = 8;

/** Unbound refs, by their text. */
export type Unbound = Map<string, Address>;

export interface Interpolated<T extends Node = Node> {
  readonly node: T;
  readonly refs: readonly Address[];
}

/** Nodes never change, and many functions interpolate the same task. */
const done = new WeakMap<Node, Interpolated>();

/** `obj.interpolate()`: the object with everything resolved that can be, and coerced; and the refs left, each once. */
export function interpolate<T extends Node>(node: T): Interpolated<T extends ChoiceNode ? Node : T> {
  let result = done.get(node);
  if (result === undefined) {
    const unbound: Unbound = new Map();
    const whole = interpolated(node, [], unbound);
    result = { node: whole, refs: [...unbound.values()] };
    if (node.kind !== 'simple') done.set(node, result);
  }
  return result as Interpolated<T extends ChoiceNode ? Node : T>;
}

/** The interpolated object, seen from inside the `outer` scopes; for a Choice, the alternative. */
export function interpolated(node: Node, outer: readonly Scope[], unbound: Unbound): Node {
  step();
  const scopes = joined(node.scopes, outer);
  switch (node.kind) {
    case 'simple':
      return interpolatedSimple(node, scopes, unbound);
    case 'list': {
      const items = mapped(node.items, (item) => accept(node.type.item, interpolated(item, scopes, unbound)));
      if (items === node.items) return withoutScopes(node);
      made(NODE_BYTES + ENTRY_BYTES * items.length);
      return { ...node, scopes: [], items };
    }
    case 'map': {
      const { key: keyType, value: valueType } = node.type;
      const entries = node.entries.map(
        ([key, value]) =>
          [
            accept(keyType, interpolated(key, scopes, unbound)),
            accept(valueType, interpolated(value, scopes, unbound)),
          ] as const,
      );
      made(NODE_BYTES + 4 * ENTRY_BYTES * entries.length);
      return { ...node, scopes: [], entries };
    }
    case 'choice':
      return chosen(node, scopes, unbound);
    case 'struct': {
      const inside = scopesInside(scopes === node.scopes ? node : { ...node, scopes });
      let fields: Map<string, Node> | undefined;
      for (const [name, value] of node.fields) {
        const result = accept(fieldType(node, name), interpolated(value, inside, unbound));
        if (result === value) continue;
        fields ??= new Map(node.fields);
        fields.set(name, result);
      }
      if (fields === undefined) return withoutScopes(node);
      made(NODE_BYTES + 4 * ENTRY_BYTES * fields.size);
      return { ...node, scopes: [], fields };
    }
  }
}

function fieldType(node: StructNode, name: string): Type {
  return (node.type.fields.get(name) as Field).type;
}

/** Large tasks are interpolated many times: what has nothing left to resolve stays the same object. */
function withoutScopes<T extends Node>(node: T): T {
  return node.scopes.length === 0 ? node : { ...node, scopes: [] };
}

/** The same array if nothing in it changes. */
function mapped<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
  let result: T[] | undefined;
  for (const [i, item] of items.entries()) {
    const changed = change(item);
    if (changed === item) continue;
    result ??= items.slice();
    result[i] = changed;
  }
  return result ?? items;
}

function joined(own: readonly Scope[], outer: readonly Scope[]): readonly Scope[] {
  if (outer.length === 0) return own;
  return own.length === 0 ? outer : [...own, ...outer];
}

/** A value with unbound refs loses its scopes, as in the original; one without keeps them. */
function interpolatedSimple(node: SimpleNode, scopes: readonly Scope[], unbound: Unbound): SimpleNode {
  if (typeof node.raw !== 'string' || !hasTag(node.raw)) {
    // Nothing in it will ever be looked up.
    const raw = coerce(node.type, node.raw);
    return raw === node.raw ? node : { ...node, scopes: [], raw };
  }
  const { text, refs } = resolve(node.raw, scopes);
  made(NODE_BYTES + text.length);
  if (refs.length === 0) return { ...node, scopes, raw: coerce(node.type, text) };
  for (const ref of refs) unbound.set(mountPoint(ref.parts), ref);
  return { ...node, scopes: [], raw: text };
}

/** The first alternative that the value can become. */
function chosen(node: ChoiceNode, scopes: readonly Scope[], unbound: Unbound): Node {
  for (const type of node.type.choices) {
    const mine: Unbound = new Map();
    const choice = alternative(type, node.raw, (each) => interpolated(each, scopes, mine));
    if (choice === undefined) continue;
    for (const [key, ref] of mine) unbound.set(key, ref);
    return choice;
  }
  throw coercionError(node.raw, node.type);
}

/** Undefined if the value cannot be one of the type; an object of the type is used directly. */
export function alternative<T>(type: Type, raw: Raw, use: (node: Node) => T): T | undefined {
  if (isNode(raw) && raw.type === type) return use(raw);
  try {
    return use(construct(type, raw));
  } catch (error) {
    if (error instanceof ModelError && (error.type === 'CoercionError' || error.type === 'ValueError')) {
      return undefined;
    }
    throw error;
  }
}

/**
 * The scopes of the fields of a struct: its `self`, its fields, then what is bound to it or encloses it, and the
 * latter again as `super`.
 */
export function scopesInside(node: StructNode): readonly Scope[] {
  const fields: Scope = { kind: 'fields', of: node };
  const scopes: Scope[] = [{ kind: 'named', name: 'self', scopes: [fields] }, fields, ...node.scopes];
  if (node.scopes.length > 0) scopes.push({ kind: 'named', name: 'super', scopes: node.scopes });
  return scopes;
}

/** A text with everything replaced that these scopes resolve, and the other refs, as often as they occur. */
export function resolve(text: string, scopes: readonly Scope[]): { text: string; refs: readonly Address[] } {
  const cache: LookupCache = { addresses: new Map(), texts: new Map() };
  let stream = text;
  for (let round = 0; ; round++) {
    if (round === MAX_ROUNDS) throw uninterpolatable(stream);
    const { result, resolved } = replaced(stream, scopes, true, cache);
    stream = result;
    if (!resolved) break;
  }
  const { result, refs } = replaced(stream, scopes, false, cache);
  return { text: result, refs };
}

/** What was looked up for one text: a tag has the same value in all rounds. */
interface LookupCache {
  readonly addresses: Map<string, Address>;
  readonly texts: Map<Address, string | undefined>;
}

function replaced(
  text: string,
  scopes: readonly Scope[],
  keepEscapes: boolean,
  cache: LookupCache,
): { result: string; resolved: boolean; refs: Address[] } {
  let result = '';
  let resolved = false;
  const refs: Address[] = [];
  for (const piece of split(text, keepEscapes, cache.addresses)) {
    if (typeof piece === 'string') {
      result += piece;
    } else {
      refs.push(piece);
      const value = textAt(piece, scopes, cache.texts);
      if (value !== undefined) resolved = true;
      result += value ?? tagText(piece);
    }
    if (result.length > LIMITS.text_of_value.most) {
      // A text that doubles in each round would exceed the memory long before the last round.
      replacedText(result.length);
      throw new ModelError(
        'Uninterpolatable',
        `Unable to interpolate ${shortened(text, 200)}: ${limitText('text_of_value', result.length)}`,
      );
    }
  }
  replacedText(result.length);
  return { result, resolved, refs };
}

function textAt(address: Address, scopes: readonly Scope[], texts: LookupCache['texts']): string | undefined {
  if (texts.has(address)) return texts.get(address);
  const value = findIn(scopes, address.parts);
  const text = typeof value === 'object' ? insideReference(() => nodeText(value)) : value;
  texts.set(address, text);
  return text;
}

function uninterpolatable(text: string): ModelError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return new ModelError('Uninterpolatable', `Unable to interpolate ${shown}!  Maximum replacements reached.`);
}

/** The first scope that has it wins. */
export function findIn(scopes: readonly Scope[], parts: readonly AddressPart[]): string | Node | undefined {
  for (const scope of scopes) {
    step();
    const value = find(scope, parts);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** What is at an address, or undefined. */
export function find(scope: Scope, parts: readonly AddressPart[]): string | Node | undefined {
  const [first, ...rest] = parts;
  if (first === undefined) return undefined;
  switch (scope.kind) {
    case 'environment':
      return findMounted(scope, parts);
    case 'named':
      if (first.kind !== 'dereference' || first.value !== scope.name) return undefined;
      // The scope itself is an object only where a struct, a list or a map was bound.
      if (rest.length === 0) return scope.scopes.find((each) => isNode(each as Raw)) as Node | undefined;
      return findIn(scope.scopes, rest);
    case 'fields': {
      const field = first.kind === 'dereference' ? scope.of.fields.get(first.value) : undefined;
      return field && (rest.length === 0 ? field : find(field, rest));
    }
    case 'struct': {
      const field = first.kind === 'dereference' ? scope.fields.get(first.value) : undefined;
      return field && below(field, scopesInside(scope), rest);
    }
    case 'list': {
      const index = first.kind === 'index' ? parseInteger(first.value) : undefined;
      const item = index === undefined ? undefined : scope.items.at(Number(index));
      return item && below(item, scope.scopes, rest);
    }
    case 'map': {
      const value = first.kind === 'index' ? lookUp(scope, first.value) : undefined;
      return value && below(value, scope.scopes, rest);
    }
    default:
      return undefined;
  }
}

function below(
  node: Node,
  scopes: readonly Scope[],
  rest: readonly AddressPart[],
): string | Node | undefined {
  const seen = inScope(node, scopes);
  return rest.length === 0 ? seen : find(seen, rest);
}

/** What is mounted exactly there, or else the rest in the deepest object above that has it. */
function findMounted({ table }: Environment, parts: readonly AddressPart[]): string | Node | undefined {
  const exact = table.get(mountPoint(parts));
  if (exact !== undefined) return exact;
  for (let length = parts.length - 1; length > 0; length--) {
    const mounted = table.get(mountPoint(parts.slice(0, length)));
    if (mounted === undefined || typeof mounted === 'string') continue;
    const value = find(mounted, parts.slice(length));
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The keys of a map that look-ups have reached: keys are interpolated once, not for each look-up. */
const indexes = new WeakMap<MapNode['entries'], { next: number; readonly found: Map<string, Node> }>();

/** The first value whose key equals the text, once both are of the key's type. */
export function lookUp({ type, entries }: MapNode, key: Raw): Node | undefined {
  const wanted = keyText(accept(type.key, key));
  const index = indexes.get(entries) ?? { next: 0, found: new Map<string, Node>() };
  indexes.set(entries, index);
  const known = index.found.get(wanted);
  if (known !== undefined) return known;
  for (; index.next < entries.length; index.next++) {
    const [each, value] = entries[index.next] as (typeof entries)[number];
    const text = keyText(each);
    if (!index.found.has(text)) index.found.set(text, value);
    if (text === wanted) return value;
  }
  return undefined;
}

function keyText(key: Node): string {
  return stableText(get(interpolate(key).node));
}

/** `str(obj)`. */
export function nodeText(node: Node): string {
  step();
  if (node.kind === 'choice') return nodeText(interpolate(node).node);
  if (node.kind !== 'simple') return nodeRepr(node);
  return pythonText(interpolate(node).node.raw);
}

/** `repr(obj)`: fields in the order of their declaration (the original's order was that of a hash table). */
export function nodeRepr(node: Node): string {
  const { name } = node.type;
  if (node.kind === 'simple') return `${name}(${nodeText(node)})`;
  if (node.kind === 'choice')
    return `${name}(${isNode(node.raw) ? nodeRepr(node.raw) : pythonRepr(node.raw)})`;
  const seen = interpolate(node).node as Exclude<Node, SimpleNode | ChoiceNode>;
  if (seen.kind === 'list') return `${name}(${seen.items.map(nodeText).join(', ')})`;
  if (seen.kind === 'map') {
    return `${name}(${seen.entries.map(([key, value]) => `${nodeText(key)} => ${nodeText(value)}`).join(', ')})`;
  }
  const fields = [...seen.type.fields.keys()].flatMap((field) => {
    const value = seen.fields.get(field);
    return value === undefined ? [] : [`${field}=${nodeText(value)}`];
  });
  return `${name}(${fields.join(`,\n${' '.repeat(name.length + 1)}`)})`;
}

/** `obj.get()`: the raw values, unchanged. Structs and maps become dicts, in order. */
export function get(node: Node): Raw {
  step();
  switch (node.kind) {
    case 'simple':
      return node.raw;
    case 'list':
      made(NODE_BYTES + ENTRY_BYTES * node.items.length);
      return node.items.map(get);
    case 'map': {
      const entries = new Map<string, readonly [Raw, Raw]>();
      for (const [keyNode, value] of node.entries) {
        const key = get(keyNode);
        entries.set(stableText(key), [key, get(value)]);
      }
      return new Dict([...entries.values()]);
    }
    case 'choice':
      return get(interpolate(node).node);
    case 'struct':
      return new Dict(
        [...node.type.fields.keys()].flatMap((name) => {
          const value = node.fields.get(name);
          return value === undefined ? [] : [[name, get(value)] as const];
        }),
      );
  }
}

/** `obj.field()`. Raises AttributeError if there is no such field. */
export function attribute(node: Node, name: string): Node | Empty {
  const field = node.kind === 'struct' ? node.type.fields.get(name) : undefined;
  if (field === undefined || node.kind !== 'struct') {
    throw new ModelError('AttributeError', `${node.type.name} has no attribute ${name}`);
  }
  const value = node.fields.get(name);
  if (value === undefined) return EMPTY;
  return accept(field.type, interpolated(value, scopesInside(node), new Map()));
}

/** The same for values that are equal in Python: 1, 1.0 and True are one key of a dict. */
export function stableText(raw: Raw): string {
  if (typeof raw === 'boolean') return raw ? '1' : '0';
  if (typeof raw === 'string') return JSON.stringify(raw);
  if (Array.isArray(raw)) return `[${raw.map(stableText).join(',')}]`;
  if (raw instanceof Dict) {
    const entries = raw.entries.map(([key, value]) => `${stableText(key)}:${stableText(value)}`);
    return `{${entries.sort().join(',')}}`;
  }
  return pythonRepr(raw).replace(/\.0$/, '');
}
