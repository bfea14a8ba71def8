import { get, interpolate, stableText } from './interpolate.js';
import { step } from './limits.js';
import { Float, ModelError, type Node, type Raw, type SimpleNode, type StructType } from './model.js';
import { isNode } from './python-text.js';

/** `a == b`: after interpolation. An object never equals a Python value. */
export function equal(a: Node, b: Raw): boolean {
  if (!isNode(b)) return false;
  step();
  switch (a.kind) {
    case 'simple':
      return b.kind === 'simple' && a.type === b.type && sameValue(valueOfSimple(a), valueOfSimple(b));
    case 'choice': {
      if (b.kind !== 'choice' || a.type.choices.length !== b.type.choices.length) return false;
      if (a.type.choices.some((choice, i) => choice !== b.type.choices[i])) return false;
      return equal(interpolate(a).node, interpolate(b).node);
    }
    case 'list': {
      if (b.kind !== 'list' || a.type.item !== b.type.item) return false;
      const [left, right] = [interpolate(a).node.items, interpolate(b).node.items];
      return left.length === right.length && left.every((item, i) => equal(item, right[i] as Node));
    }
    case 'map': {
      if (b.kind !== 'map' || a.type.key !== b.type.key || a.type.value !== b.type.value) return false;
      const [left, right] = [interpolate(a).node.entries, interpolate(b).node.entries];
      return (
        left.length === right.length &&
        left.every(([key, value], i) => {
          const [otherKey, otherValue] = right[i] as readonly [Node, Node];
          return equal(key, otherKey) && equal(value, otherValue);
        })
      );
    }
    case 'struct': {
      if (b.kind !== 'struct' || !sameFields(a.type, b.type)) return false;
      const [left, right] = [interpolate(a).node.fields, interpolate(b).node.fields];
      return (
        left.size === right.size &&
        [...left].every(([name, value]) => {
          const other = right.get(name);
          return other !== undefined && equal(value, other);
        })
      );
    }
  }
}

/** Structs of different names are compared by their fields. */
function sameFields(a: StructType, b: StructType): boolean {
  if (a === b) return true;
  if (a.fields.size !== b.fields.size) return false;
  return [...a.fields.values()].every((field) => {
    const other = b.fields.get(field.name);
    if (other === undefined || other.type !== field.type || other.required !== field.required) return false;
    if (field.default === undefined || other.default === undefined) return field.default === other.default;
    return equal(field.default, other.default);
  });
}

/** `a < b` for simple values; if the types differ, the first is the smaller one, as in the original. */
export function less(a: Node, b: Raw): boolean {
  if (a.kind !== 'simple') {
    throw new ModelError('TypeError', `'<' not supported between objects of type ${a.type.name}`);
  }
  if (!isNode(b) || b.type !== a.type || b.kind !== 'simple') return true;
  const [left, right] = [comparable(valueOfSimple(a)), comparable(valueOfSimple(b))];
  return typeof left === typeof right && left < right;
}

/** The same for objects that hash alike: the text of the raw values. */
export function hashText(node: Node): string {
  return stableText(get(node));
}

function valueOfSimple(node: SimpleNode): Raw {
  return interpolate(node).node.raw;
}

function sameValue(a: Raw, b: Raw): boolean {
  return comparable(a) === comparable(b);
}

function comparable(raw: Raw): string | number {
  if (typeof raw === 'bigint' || typeof raw === 'boolean') return Number(raw);
  return raw instanceof Float ? raw.value : typeof raw === 'string' ? raw : stableText(raw);
}
