import { inScope } from './construct.js';
import { nodeText, scopesInside } from './interpolate.js';
import { ModelError, type Node, type Origin, type Scope, type StructType } from './model.js';

/** Where in a task a value stands. */
export interface Place {
  /** The name of the process it belongs to; `processes[N]` where that can't be told. */
  readonly process?: string;
  /** From the process on, or from the task: `cmdline`, `logger.rotate.backups`, `constraints[0].order[1]`. */
  readonly field: string;
  /** Where the process, or else the task, was made. */
  readonly origin?: Origin;
}

/** A value without fields of its own, seen from where it stands. */
export interface Leaf {
  readonly node: Node;
  readonly place: Place;
}

/** A field that has to be there and isn't. */
export interface Gap {
  readonly type: StructType;
  readonly place: Place;
}

/** All texts, numbers and choices of an object, and what is missing in it; in the order of the fields. */
export function* partsOf(
  node: Node,
  place: Place = { field: '', origin: node.origin },
): Generator<Leaf | Gap> {
  switch (node.kind) {
    case 'struct': {
      const scopes = scopesInside(node);
      for (const { name, required } of node.type.fields.values()) {
        const value = node.fields.get(name);
        const at = { ...place, field: place.field === '' ? name : `${place.field}.${name}` };
        if (value !== undefined) yield* partsOf(inScope(value, scopes), at);
        else if (required) yield { type: node.type, place: at };
      }
      return;
    }
    case 'list':
      for (const [i, item] of node.items.entries()) {
        yield* partsOf(inScope(item, node.scopes), placeOfItem(item, node.scopes, place, i));
      }
      return;
    case 'map':
      for (const [key, value] of node.entries) {
        yield { node: inScope(key, node.scopes), place };
        const field = `${place.field}[${textOr(inScope(key, node.scopes), '…')}]`;
        yield* partsOf(inScope(value, node.scopes), { ...place, field });
      }
      return;
    default:
      yield { node, place };
  }
}

/** A process is named; what else stands in a list is numbered. */
function placeOfItem(item: Node, scopes: readonly Scope[], place: Place, i: number): Place {
  const field = `${place.field}[${i}]`;
  if (item.kind !== 'struct' || item.type.name !== 'Process') return { ...place, field };
  return {
    process: processName(inScope(item, scopes), field),
    field: '',
    origin: item.origin ?? place.origin,
  };
}

function processName(process: Node & { kind: 'struct' }, otherwise: string): string {
  const name = process.fields.get('name');
  return name === undefined ? otherwise : textOr(inScope(name, scopesInside(process)), otherwise);
}

function textOr(node: Node, otherwise: string): string {
  try {
    return nodeText(node);
  } catch (error) {
    if (error instanceof ModelError) return otherwise;
    throw error;
  }
}

/** `process 'web': cmdline`, for the beginning of a message. */
export function placeText({ process, field }: Place): string {
  if (process === undefined) return field;
  return `process '${process}'${field === '' ? '' : `: ${field}`}`;
}
