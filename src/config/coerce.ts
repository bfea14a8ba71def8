import { Float, ModelError, type Raw, type SimpleType } from './model.js';
import { isNode, parseFloating, parseInteger, pythonText } from './python-text.js';

/** `Cannot coerce 'VALUE' to TYPE`, the original's words. */
export function coercionError(value: Raw, type: { name: string }, why?: string): ModelError {
  const text = isNode(value) ? `${value.type.name}(…)` : pythonText(value);
  return new ModelError('CoercionError', `Cannot coerce '${text}' to ${type.name}${why ? `: ${why}` : ''}`);
}

/** The value as one of the type: text, `bigint`, `Float` or boolean. Raises CoercionError. */
export function coerce(type: SimpleType, value: Raw): Raw {
  switch (type.kind) {
    case 'String':
      if (typeof value === 'string') return value;
      if (isNumber(value)) return pythonText(value);
      break;
    case 'Integer': {
      const integer = asInteger(value);
      if (integer !== undefined) return integer;
      break;
    }
    case 'Float': {
      if (value instanceof Float) return value;
      const number = asFloat(value);
      if (number !== undefined) return new Float(number);
      break;
    }
    case 'Boolean': {
      const truth = asBoolean(value);
      if (truth !== undefined) return truth;
      break;
    }
    case 'Enum':
      if (typeof value === 'string' && type.values.includes(value)) return value;
      throw coercionError(value, type, `${pythonText(value)} is not one of ${type.values.join(', ')}`);
  }
  throw coercionError(value, type);
}

function isNumber(value: Raw): value is bigint | boolean | Float {
  return typeof value === 'bigint' || typeof value === 'boolean' || value instanceof Float;
}

function asInteger(value: Raw): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string') return parseInteger(value);
  if (value instanceof Float && Number.isFinite(value.value)) return BigInt(Math.trunc(value.value));
  return undefined;
}

function asFloat(value: Raw): number | undefined {
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  return typeof value === 'string' ? parseFloating(value) : undefined;
}

function asBoolean(value: Raw): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value !== 0n;
  // NaN is true in Python.
  if (value instanceof Float) return value.value !== 0;
  if (typeof value !== 'string') return undefined;
  const word = value.toLowerCase();
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : undefined;
}

/** The words for a type in the message of a failed check. */
export const CHECKED: Readonly<Record<SimpleType['kind'], string>> = {
  String: 'not a string',
  Integer: 'not an integer',
  Float: 'not a float',
  Boolean: 'not a boolean',
  Enum: 'not in the enumeration',
};
