import { inScope } from './construct.js';
import { interpolated, nodeText, scopesInside, type Unbound } from './interpolate.js';
import { step } from './limits.js';
import {
  type Address,
  ModelError,
  type Node,
  type Scope,
  type SimpleNode,
  type SourceLine,
  type StructType,
} from './model.js';
import { hasTag } from './mustache.js';

/** Where in a task a value is. */
export interface ConfigPlace {
  /** Gives the name of the process it belongs to; `processes[N]` if the name is unknown. */
  readonly process?: () => string;
  /** Path within the process, or within the task: `cmdline`, `logger.rotate.backups`, `constraints[0].order[1]`. */
  readonly field: string;
  /** Where the process, or else the task, was made. */
  readonly origin?: SourceLine;
}

/** A value without fields of its own. */
export interface Leaf {
  readonly node: Node;
  /** The scopes that enclose it, besides its own. */
  readonly scopes: readonly Scope[];
  readonly place: ConfigPlace;
}

/** A required field that is missing. */
export interface MissingField {
  readonly type: StructType;
  readonly place: ConfigPlace;
}

/** All texts, numbers and choices of an object, and its missing fields; in the order of the fields. */
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

/** A process is named; other items of a list are numbered. */
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

/** Unbound refs of an object, with their places. */
export function* unboundIn(node: Node): Generator<{ place: ConfigPlace; ref: Address; part: number }> {
  let part = -1;
  for (const each of partsOf(node)) {
    part++;
    if ('type' in each || (each.node.kind === 'simple' && !mayRefer(each.node))) continue;
    const unbound: Unbound = new Map();
    try {
      interpolated(each.node, each.scopes, unbound);
    } catch (error) {
      // A wrong type is reported elsewhere.
      if (!(error instanceof ModelError)) throw error;
    }
    for (const ref of unbound.values()) yield { place: each.place, ref, part };
  }
}

/** False if what is bound to it does not matter. */
export function mayRefer({ raw }: SimpleNode): boolean {
  return typeof raw === 'string' && hasTag(raw);
}
