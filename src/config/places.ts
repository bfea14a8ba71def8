import { inScope } from './construct.js';
import { interpolated, nodeText, scopesInside, type Unbound } from './interpolate.js';
import { step } from './limits.js';
import {
  type Address,
  ModelError,
  type Node,
  type Origin,
  type Scope,
  type SimpleNode,
  type StructType,
} from './model.js';
import { hasTag } from './mustache.js';

/** Where in a task a value stands. */
export interface ConfigPlace {
  /** Tells the name of the process it belongs to; `processes[N]` where that can't be told. */
  readonly process?: () => string;
  /** From the process on, or from the task: `cmdline`, `logger.rotate.backups`, `constraints[0].order[1]`. */
  readonly field: string;
  /** Where the process, or else the task, was made. */
  readonly origin?: Origin;
}

/** A value without fields of its own. */
export interface Leaf {
  readonly node: Node;
  /** What it is seen from besides its own scopes. */
  readonly scopes: readonly Scope[];
  readonly place: ConfigPlace;
}

/** A field that has to be there and isn't. */
export interface MissingField {
  readonly type: StructType;
  readonly place: ConfigPlace;
}

/** All texts, numbers and choices of an object, and what is missing in it; in the order of the fields. */
export function* partsOf(
  node: Node,
  outer: readonly Scope[] = [],
  place: ConfigPlace = { field: '', origin: node.origin },
): Generator<Leaf | MissingField> {
  step();
  switch (node.kind) {
    case 'struct': {
      const scopes = scopesInside(inScope(node, outer));
      for (const { name, required } of node.type.fields.values()) {
        const value = node.fields.get(name);
        if (value === undefined && !required) continue;
        const at = { ...place, field: place.field === '' ? name : `${place.field}.${name}` };
        if (value === undefined) yield { type: node.type, place: at };
        else yield* partsOf(value, scopes, at);
      }
      return;
    }
    case 'list': {
      const scopes = inScope(node, outer).scopes;
      for (const [i, item] of node.items.entries()) {
        yield* partsOf(item, scopes, placeOfItem(item, scopes, place, i));
      }
      return;
    }
    case 'map': {
      const scopes = inScope(node, outer).scopes;
      for (const [key, value] of node.entries) {
        yield { node: key, scopes, place };
        const field = `${place.field}[${textOr(inScope(key, scopes), '…')}]`;
        yield* partsOf(value, scopes, { ...place, field });
      }
      return;
    }
    default:
      yield { node, scopes: outer, place };
  }
}

/** A process is named; what else stands in a list is numbered. */
function placeOfItem(item: Node, scopes: readonly Scope[], place: ConfigPlace, i: number): ConfigPlace {
  const field = `${place.field}[${i}]`;
  if (item.kind !== 'struct' || item.type.name !== 'Process') return { ...place, field };
  const process = (): string => processName(inScope(item, scopes), field);
  return { process, field: '', origin: item.origin ?? place.origin };
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
export function placeText({ process, field }: ConfigPlace): string {
  if (process === undefined) return field;
  return `process '${process()}'${field === '' ? '' : `: ${field}`}`;
}

/** Refs of an object that nothing is bound to, with where they stand. */
export function* unboundIn(node: Node): Generator<{ place: ConfigPlace; ref: Address; part: number }> {
  let part = -1;
  for (const each of partsOf(node)) {
    part++;
    if ('type' in each || (each.node.kind === 'simple' && !mayRefer(each.node))) continue;
    const unbound: Unbound = new Map();
    try {
      interpolated(each.node, each.scopes, unbound);
    } catch (error) {
      // What is of the wrong type is said elsewhere.
      if (!(error instanceof ModelError)) throw error;
    }
    for (const ref of unbound.values()) yield { place: each.place, ref, part };
  }
}

/** False: what is bound to it does not matter. */
export function mayRefer({ raw }: SimpleNode): boolean {
  return typeof raw === 'string' && hasTag(raw);
}
