import { CHECKED } from './coerce.js';
import { inScope } from './construct.js';
import { alternative, interpolated, nodeText, scopesInside } from './interpolate.js';
import { step } from './limits.js';
import { ModelError, type Node, type Raw, type Scope, type SimpleNode } from './model.js';
import { isNode, pythonRepr, pythonText } from './python-text.js';

/** The message gives the path from outside in: `Task[processes] failed: Element in ProcessList failed check: …` */
export interface Check {
  readonly ok: boolean;
  readonly message: string;
}

const FINE: Check = { ok: true, message: '' };

function failed(message: string): Check {
  return { ok: false, message };
}

/**
 * Whether the values are of their types, once all bound values are filled in. Only a String may have unbound refs. A
 * tag without an address inside raises InvalidRefError.
 */
export function check(node: Node): Check {
  step();
  switch (node.kind) {
    case 'simple':
      return checkSimple(node);
    case 'list':
      return checkList(node.items, node.type.name, node.scopes);
    case 'map': {
      const { name } = node.type;
      for (const [key, value] of node.entries) {
        const keyCheck = check(inScope(key, node.scopes));
        if (!keyCheck.ok) return failed(`${name} key ${nodeText(key)} failed check: ${keyCheck.message}`);
        const valueCheck = check(inScope(value, node.scopes));
        if (!valueCheck.ok) {
          return failed(
            `${name}[${nodeText(key)}] value ${nodeText(value)} failed check: ${valueCheck.message}`,
          );
        }
      }
      return FINE;
    }
    case 'choice': {
      for (const type of node.type.choices) {
        const result = alternative(type, node.raw, (each) => check(inScope(each, node.scopes)));
        if (result?.ok) return result;
      }
      return failed(
        `${node.type.name} typecheck failed: value ${shown(node.raw)} did not match any of its alternatives`,
      );
    }
    case 'struct': {
      const scopes = scopesInside(node);
      for (const { name, required } of node.type.fields.values()) {
        const value = node.fields.get(name);
        if (value === undefined && required) return failed(`${node.type.name}[${name}] is required.`);
        const result = value === undefined ? FINE : check(inScope(value, scopes));
        if (!result.ok) return failed(`${node.type.name}[${name}] failed: ${result.message}`);
      }
      return FINE;
    }
  }
}

function checkList(items: readonly Node[], name: string, scopes: readonly Scope[]): Check {
  for (const item of items) {
    const result = check(inScope(item, scopes));
    if (!result.ok) return failed(`Element in ${name} failed check: ${result.message}`);
  }
  return FINE;
}

function checkSimple(node: SimpleNode): Check {
  let raw: Raw;
  try {
    raw = (interpolated(node, [], new Map()) as SimpleNode).raw;
  } catch (error) {
    if (
      error instanceof ModelError &&
      (error.type === 'CoercionError' || error.type === 'Uninterpolatable')
    ) {
      return failed(`Unable to interpolate: ${error.message}`);
    }
    throw error;
  }
  // What is still text was not coerced: something in it is unbound.
  const { type } = node;
  if (type.kind === 'String' || typeof raw !== 'string') return FINE;
  if (type.kind !== 'Enum') return failed(`${pythonRepr(raw)} ${CHECKED[type.kind]}`);
  if (type.values.includes(raw)) return FINE;
  return failed(`${pythonRepr(raw)} ${CHECKED.Enum} (${type.values.join(', ')})`);
}

function shown(raw: Raw): string {
  return isNode(raw) ? nodeText(raw) : pythonText(raw);
}
