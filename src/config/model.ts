/**
 * The data of a config: types, values, scopes; and the door through which Python calls.
 *
 * A config is a program that builds *objects* of *types*. Neither exists in Python: its classes are thin, have an
 * id, and forward every operation to here, so that a task from JSON and a task from Python mean the same.
 *
 * ## Types
 * A `Type` is plain data. Types are compared by name and parameters, not by identity, so equal ones are one
 * `Type` with one id (a `TypeId`, a string to be passed back unchanged; in the schema it is the type's name:
 * `"Process"`, `"String"`).
 *
 * ## Values
 * A `Node` is an object of a type: the raw value as the config gave it (it is coerced only when it is checked,
 * interpolated, compared or printed) and the scopes bound to it. Nodes never change; every operation makes a
 * new one. An `Environment` is a table from address to text or object.
 *
 * ## Calls from Python
 * One synchronous function, made by `createSession()` in `session.ts`:
 *
 *     session.call(operation: string, args: string): string
 *
 * `args` is a JSON array, the answer a JSON object: `{"value": …}` or `{"error": {"type", "message"}}`, never an
 * exception. `type` is the name of the Python exception to raise with exactly that message (`PythonError`).
 * A session lasts for one evaluation. Ids of types and of the values of a namespace are the same in every
 * session, so they may be kept in a memory snapshot.
 *
 * What Python values look like on the wire (`Wire`):
 *
 *     str, bytes          "text"
 *     bool, None          true, null
 *     int                 5, or {"int": "36893488147419103232"} outside ±(2^53-1)
 *     float               {"float": repr(x)}: "0.1", "1e+22", "nan", "inf", "-inf"
 *     list, tuple, range  [ … ]                 (any Sequence but str; in answers: a tuple)
 *     dict                {"dict": [[key, value], …]}   in order (in answers: a dict)
 *     an object of ours   {"node": 12, "type": "Process"}   ("type" in answers only; may be left out in arguments)
 *     an Environment      {"node": 12, "type": "Environment"}
 *     Empty               {"empty": true}
 *     a Ref               {"ref": "a.b[c]"}
 *     a class of ours     {"type": "Process"}   (no "node")
 *     anything else       {"other": repr(x), "class": str(type(x)), "generator": true if it is one}
 *
 * KW is a list of pairs [[name, Wire], …]: keyword arguments in order. AT is `[path, line]` of the innermost frame
 * of a config file, or null: it is shown in messages. NODE and TYPE are ids: `12`, `"Process"`.
 *
 * | operation | args | value |
 * | --- | --- | --- |
 * | `namespace` | `["thermos" \| "aurora"]` | `{"types": {NAME: TYPE}, "values": {NAME: Wire}}`: the schema of that dialect (aurora: both). Numbers such as MB among the values |
 * | `type` | `[TYPE]` | a `TypeDescription` |
 * | `type.list` | `[TYPE]` | a `TypeDescription`; so do the next four |
 * | `type.map` | `[KEYTYPE, VALUETYPE]` | |
 * | `type.enum` | `[NAME or null, [VALUE, …]]` | null: `Enum('a','b')`, the name is made from the values |
 * | `type.choice` | `[NAME or null, [TYPE, …]]` | |
 * | `type.struct` | `[NAME, [[FIELD, {"type": TYPE, "required": bool, "default": NODE or null}], …]]` | |
 * | `default` | `[TYPE, Wire]` | `{"node"}` of the default, or `{"empty": true}`: what `Default(T, v)` does at once |
 * | `new` | `[TYPE, [Wire, …] positional, KW, AT]` | node |
 * | `call` | `[NODE, KW, AT]` | node: `obj(field=…)` |
 * | `bind` | `[NODE, [Wire, …], KW]` | node: `obj.bind(…)` |
 * | `in_scope` | `[NODE, [Wire, …], KW]` | node |
 * | `mod` | `[NODE, Wire]` | node: `obj % {…}` |
 * | `interpolate` | `[NODE]` | `{"node", "type", "refs": [ADDRESS, …]}` (for a Choice: the alternative) |
 * | `check` | `[NODE]` | `{"ok": bool, "message": str}` |
 * | `get` | `[NODE]` | Wire, without nodes in it |
 * | `attribute` | `[NODE, FIELD]` | node or `{"empty": true}`: `obj.field()` |
 * | `has` | `[NODE, FIELD]` | bool: `obj.has_field()` |
 * | `text`, `repr` | `[NODE]` | str |
 * | `equal` | `[NODE, Wire]` | bool |
 * | `less` | `[NODE, Wire]` | bool: `<` of simple values |
 * | `hash` | `[NODE]` | str: the same for objects that hash alike |
 * | `items` | `[NODE]` | List: its interpolated elements (nodes); Map: its keys (nodes) |
 * | `item` | `[NODE, Wire]` | Map: the value of a key (KeyError) |
 * | `contains` | `[NODE, Wire]` | bool: `x in obj` |
 * | `find` | `[NODE, ADDRESS]` | Wire: node or text (NotFound, NamingError, Unnamable) |
 * | `unwrap` | `[NODE]` | node: the alternative of a Choice |
 * | `environment` | `[[Wire, …], KW]` | node |
 * | `ref` | `[ADDRESS]` | `[{"kind": "dereference" \| "index", "value": str}, …]` (InvalidRefError) |
 * | `mustache.split` | `[TEXT, KEEP_ALIASES]` | list of str and `{"ref"}` |
 * | `order` | `[[Wire, …]]` | `[node]`: a list of Constraint |
 * | `sequential_task` | `[[Wire, …], KW, AT]` | node |
 * | `simple_task` | `[Wire name, Wire command, AT]` | node |
 * | `combine_tasks`, `concat_tasks` | `[[Wire, …], KW, AT]` | node |
 * | `options` | `["java" \| "python", [Wire, …], KW]` | str |
 * | `units` | `["safe_get" \| "resources_sum" \| "resources_max" \| "finalization_wait_sum" \| "finalization_wait_max" \| "optional_resources" \| "processes_merge" \| "constraints_merge", [Wire, …]]` | Wire; nodes are task, resources …; the last argument of those that take one iterable is that list |
 * | `export` | `[Wire, AT]` | null: `export(x)`; kept in `session.exported` |
 * | `jobs` | `[Wire]` | null: the `jobs` of an .aurora file, once it has been executed; kept in `session.jobs` |
 *
 * `float_text` `[{"float"}]` gives the text that Python 2's `str()` gave, for any other code that prints floats.
 */

/** Passed back unchanged; equal types have equal ids. */
export type TypeId = string;

/** Passed back unchanged. */
export type NodeId = number;

export interface PrimitiveType {
  readonly kind: 'String' | 'Integer' | 'Float' | 'Boolean';
  readonly id: TypeId;
  readonly name: string;
}

export interface EnumType {
  readonly kind: 'Enum';
  readonly id: TypeId;
  readonly name: string;
  readonly values: readonly string[];
}

export interface ListType {
  readonly kind: 'List';
  readonly id: TypeId;
  readonly name: string;
  readonly item: Type;
}

export interface MapType {
  readonly kind: 'Map';
  readonly id: TypeId;
  readonly name: string;
  readonly key: Type;
  readonly value: Type;
}

export interface ChoiceType {
  readonly kind: 'Choice';
  readonly id: TypeId;
  readonly name: string;
  readonly choices: readonly Type[];
}

export interface Field {
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  /** Without scopes. Undefined: the field starts out empty. */
  readonly default: Node | undefined;
}

export interface StructType {
  readonly kind: 'Struct';
  readonly id: TypeId;
  readonly name: string;
  /** In the order of declaration. */
  readonly fields: ReadonlyMap<string, Field>;
}

export type SimpleType = PrimitiveType | EnumType;
export type Type = SimpleType | ListType | MapType | ChoiceType | StructType;

/** A type as Python sees it. */
export interface TypeDescription {
  type: TypeId;
  kind: Type['kind'];
  name: string;
  /** List. */
  item?: TypeId;
  /** Map. */
  key?: TypeId;
  value?: TypeId;
  /** Enum. */
  values?: string[];
  /** Choice. */
  choices?: TypeId[];
  /** Struct. */
  fields?: [name: string, field: { type: TypeId; required: boolean; default: NodeId | null }][];
}

/** A line of a config file. */
export interface SourceLine {
  readonly path: string;
  readonly line: number;
}

/** Python's float; an int is a `bigint`, so that 5 and 5.0 stay apart. */
export class Float {
  constructor(readonly value: number) {}
}

/** A dict as it was written: in order, keys of any kind. */
export class Dict {
  constructor(readonly entries: readonly (readonly [Raw, Raw])[]) {}
}

/** A Python value that cannot be part of a config; only its `repr` and class are known. */
export class Other {
  constructor(
    readonly repr: string,
    readonly className: string,
    readonly generator = false,
  ) {}
}

/** The class `Empty`: an unset field. */
export const EMPTY = Symbol('Empty');
export type Empty = typeof EMPTY;

/** What a config may pass where a value is expected. */
export type Raw =
  | string
  | boolean
  | bigint
  | Float
  | null
  | readonly Raw[]
  | Dict
  | Node
  | Environment
  | Address
  | Empty
  | Other;

/** The parsed content of a mustache tag. */
export class Address {
  constructor(readonly parts: readonly AddressPart[]) {}
}

export interface AddressPart {
  readonly kind: 'dereference' | 'index';
  readonly value: string;
}

interface NodeOf<T extends Type> {
  readonly type: T;
  /** What is bound, and what encloses it; the first that has an address wins. */
  readonly scopes: readonly Scope[];
  readonly origin?: SourceLine;
}

export interface SimpleNode extends NodeOf<SimpleType> {
  readonly kind: 'simple';
  /** As given, or coerced if this is the result of an interpolation. */
  readonly raw: Raw;
}

export interface ListNode extends NodeOf<ListType> {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface MapNode extends NodeOf<MapType> {
  readonly kind: 'map';
  /** Duplicates are kept: a look-up finds the first, `get` the last. */
  readonly entries: readonly (readonly [key: Node, value: Node])[];
}

export interface ChoiceNode extends NodeOf<ChoiceType> {
  readonly kind: 'choice';
  readonly raw: Raw;
}

export interface StructNode extends NodeOf<StructType> {
  readonly kind: 'struct';
  /** The fields that are not empty. */
  readonly fields: ReadonlyMap<string, Node>;
}

export type Node = SimpleNode | ListNode | MapNode | ChoiceNode | StructNode;

/** Text and objects, mounted at addresses. */
export interface Environment {
  readonly kind: 'environment';
  /** By the address as text with a leading dot or bracket: `.a.b`, `.m[k]`. */
  readonly table: ReadonlyMap<string, string | Node>;
}

/** Resolves what is below one name (`self`, `super`) in other scopes. */
export interface NamedScope {
  readonly kind: 'named';
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** The fields of a struct as plain names, each unchanged (not seen from inside the struct). */
export interface FieldScope {
  readonly kind: 'fields';
  readonly of: StructNode;
}

export type Scope = Environment | NamedScope | FieldScope | Node;

/** The Python exceptions that an operation may cause. CoercionError is a ValueError. */
export type PythonError =
  | 'CoercionError'
  | 'ValueError'
  | 'AttributeError'
  | 'TypeError'
  | 'KeyError'
  | 'AssertionError'
  | 'RecursionError'
  | 'MemoryError'
  | 'InvalidRefError'
  | 'Uninterpolatable'
  | 'NotFound'
  | 'NamingError'
  | 'Unnamable';

/** An operation that the original answered with an exception. */
export class ModelError extends Error {
  /** The tag without an address, as it is written. */
  tag?: string;

  constructor(
    readonly type: PythonError,
    message: string,
  ) {
    super(message);
  }
}

/** A value as JSON, see above. */
export type Wire =
  | string
  | boolean
  | number
  | null
  | Wire[]
  | { int: string }
  | { float: string }
  | { dict: [Wire, Wire][] }
  | { node: NodeId; type?: TypeId }
  | { type: TypeId }
  | { empty: true }
  | { ref: string }
  | { other: string; class: string; generator?: boolean };

/** One evaluation: what Python may call, and the results. */
export interface EvaluationSession {
  /** Never throws; see `refused`. */
  call(operation: string, args: string): string;
  /** In the order of `export`; a dict has become a Task. */
  readonly exported: readonly { readonly value: Raw; readonly origin?: SourceLine }[];
  /** Undefined if the config has no `jobs`. */
  readonly jobs: Raw | undefined;
  /** Set once a limit was exceeded or a call came that none of our classes sends: the config is refused. */
  readonly refused: Error | undefined;
}
