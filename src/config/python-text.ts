import { limited } from './limits.js';
import { Address, Dict, EMPTY, Float, type Node, Other, type Raw } from './model.js';

/** `str()` of a float as Python 2 wrote it, with 12 significant digits: existing configs rely on it. */
export function floatText(x: number): string {
  return written(x, 11, 11);
}

/** `repr()` of a float: the shortest digits that mean the same number. */
export function floatRepr(x: number): string {
  return written(x, undefined, 16);
}

/** The number is written with an exponent if that is at least `large` or below -4. */
function written(x: number, digits: number | undefined, large: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  const sign = x < 0 || Object.is(x, -0) ? '-' : '';
  const [mantissa = '', power = ''] = rounded(Math.abs(x), digits).split('e');
  const exponent = Number(power);
  const figures = mantissa.replace('.', '').replace(/(?<=.)0+$/, '');
  if (exponent < -4 || exponent >= large) {
    const fraction = figures.length > 1 ? `.${figures.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${figures[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${figures}`;
  const whole = figures.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${figures.slice(exponent + 1) || '0'}`;
}

/** C rounds a tie to the even digit, JavaScript away from zero. */
function rounded(x: number, digits: number | undefined): string {
  const text = x.toExponential(digits);
  if (digits === undefined || !/[13579]e/.test(text)) return text;
  const exact = x.toExponential(60);
  if (!/^50*e/.test(exact.slice(digits + 2))) return text;
  return `${exact.slice(0, digits + 2)}${exact.slice(exact.indexOf('e'))}`;
}

/** `str()` of a Python value. Only the type of an object is shown: its text would need its scopes. */
export function pythonText(raw: Raw): string {
  if (typeof raw === 'string') return raw;
  if (raw instanceof Float) return floatText(raw.value);
  return pythonRepr(raw);
}

/** `repr()` of a Python value, see `pythonText`. */
export function pythonRepr(raw: Raw): string {
  if (typeof raw === 'string') return quoted(raw);
  if (typeof raw === 'bigint') return String(raw);
  if (typeof raw === 'boolean') return raw ? 'True' : 'False';
  if (raw === null) return 'None';
  if (raw === EMPTY) return 'Empty';
  if (raw instanceof Float) return floatRepr(raw.value);
  if (raw instanceof Other) return raw.repr;
  if (raw instanceof Dict) {
    return `{${raw.entries.map(([key, value]) => `${pythonRepr(key)}: ${pythonRepr(value)}`).join(', ')}}`;
  }
  if (raw instanceof Address) return 'Ref(…)';
  if (isList(raw)) return `[${raw.map(pythonRepr).join(', ')}]`;
  return raw.kind === 'environment' ? 'Environment(…)' : `${raw.type.name}(…)`;
}

/** The name of a value's class in Python. */
export function pythonClass(raw: Raw): string {
  if (typeof raw === 'string') return 'str';
  if (typeof raw === 'bigint') return 'int';
  if (typeof raw === 'boolean') return 'bool';
  if (raw === null) return 'None';
  if (raw === EMPTY) return 'Empty';
  if (raw instanceof Float) return 'float';
  if (raw instanceof Other) return raw.className.replace(/^<\w+ '(.*)'>$/, '$1');
  if (raw instanceof Dict) return 'dict';
  if (raw instanceof Address) return 'Ref';
  if (isList(raw)) return 'list';
  return raw.kind === 'environment' ? 'Environment' : raw.type.name;
}

export function isList(raw: Raw): raw is readonly Raw[] {
  return Array.isArray(raw);
}

/** An object of one of our types. */
export function isNode(raw: Raw): raw is Node {
  return typeof raw === 'object' && raw !== null && 'type' in raw;
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === quote || character === '\\') body += `\\${character}`;
    else if (character === '\n') body += '\\n';
    else if (character === '\r') body += '\\r';
    else if (character === '\t') body += '\\t';
    else if (code < 0x20 || code === 0x7f) body += `\\x${code.toString(16).padStart(2, '0')}`;
    else body += character;
  }
  return `${quote}${body}${quote}`;
}

const INTEGER = /^\s*[+-]?\d+\s*$/;
const FLOAT = /^\s*[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)\s*$/i;

/** `int(text)` of Python 2 (no underscores), or undefined where that raises ValueError. */
export function parseInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const digits = text.trim();
  limited('digits', digits.length);
  return BigInt(digits.replace(/^\+/, ''));
}

/** `float(text)` of Python 2, or undefined where that raises ValueError. */
export function parseFloating(text: string): number | undefined {
  if (!FLOAT.test(text)) return undefined;
  const plain = text.trim().toLowerCase();
  const word = /^([+-]?)(inf|nan)/.exec(plain);
  if (word === null) return Number(plain);
  return word[2] === 'nan'
    ? Number.NaN
    : word[1] === '-'
      ? Number.NEGATIVE_INFINITY
      : Number.POSITIVE_INFINITY;
}
