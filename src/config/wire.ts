/**
 * What may come through the door: each operation with the form of its arguments. Only the Python side of our own
 * classes should use it, but a config can write to it as well, so everything is checked.
 */

/** `wire`, `wires`: any values; what is in them is checked when they are decoded. */
type Form = 'wire' | 'wires' | 'keywords' | 'fields' | 'at' | 'id' | 'text' | 'texts' | 'flag';

const OPERATIONS: Readonly<Record<string, readonly Form[]>> = {
  namespace: ['text'],
  type: ['text'],
  'type.list': ['text'],
  'type.map': ['text', 'text'],
  'type.enum': ['wire', 'wires'],
  'type.choice': ['wire', 'texts'],
  'type.struct': ['text', 'fields'],
  default: ['text', 'wire'],
  new: ['text', 'wires', 'keywords', 'at'],
  call: ['id', 'keywords', 'at'],
  bind: ['id', 'wires', 'keywords'],
  in_scope: ['id', 'wires', 'keywords'],
  mod: ['id', 'wire'],
  interpolate: ['id'],
  check: ['id'],
  get: ['id'],
  attribute: ['id', 'text'],
  has: ['id', 'text'],
  text: ['id'],
  repr: ['id'],
  equal: ['id', 'wire'],
  less: ['id', 'wire'],
  hash: ['id'],
  items: ['id'],
  item: ['id', 'wire'],
  contains: ['id', 'wire'],
  find: ['id', 'text'],
  unwrap: ['id'],
  environment: ['wires', 'keywords'],
  ref: ['text'],
  'mustache.split': ['wire', 'flag'],
  order: ['wires'],
  sequential_task: ['wires', 'keywords', 'at'],
  simple_task: ['wire', 'wire', 'at'],
  combine_tasks: ['wires', 'keywords', 'at'],
  concat_tasks: ['wires', 'keywords', 'at'],
  options: ['text', 'wires', 'keywords'],
  units: ['text', 'wires'],
  export: ['wire', 'at'],
  jobs: ['wire'],
  float_text: ['wire'],
};

/** Thrown for a call that none of our classes sent. */
export class ForgedError extends Error {}

/** The arguments of an operation. Throws ForgedError. */
export function argumentsOf(operation: string, json: string): unknown[] {
  const forms = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
  if (forms === undefined) throw new ForgedError('there is no such operation');
  const args = parsed(json);
  if (!Array.isArray(args) || args.length !== forms.length) {
    throw new ForgedError(`${operation} takes ${forms.length} arguments`);
  }
  for (const [i, form] of forms.entries()) {
    if (!isOf(form, args[i])) throw new ForgedError(`argument ${i + 1} of ${operation} has the wrong form`);
  }
  return args;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new ForgedError('the arguments are not JSON');
  }
}

function isOf(form: Form, value: unknown): boolean {
  switch (form) {
    case 'wire':
      return value !== undefined;
    case 'wires':
      return Array.isArray(value);
    case 'text':
      return typeof value === 'string';
    case 'texts':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
    case 'flag':
      return typeof value === 'boolean';
    case 'id':
      return isId(value);
    case 'at':
      return value === null || (isPair(value) && typeof value[0] === 'string' && isId(value[1]));
    case 'keywords':
      return Array.isArray(value) && value.every((each) => isPair(each) && typeof each[0] === 'string');
    case 'fields':
      return Array.isArray(value) && value.every(isField);
  }
}

function isField(value: unknown): boolean {
  if (!isPair(value) || typeof value[0] !== 'string' || !isRecord(value[1])) return false;
  const { type, required, default: id } = value[1];
  return typeof type === 'string' && typeof required === 'boolean' && (id === null || isId(id));
}

/** The number of an object or of a line. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Key and value. */
export function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

/** A JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
