/**
 * A string of bytes: each character stands for one byte. An agent knows no encoding: paths, names and contents are bytes
 * to it, and so they are here.
 */
export type Bytes = string;

export function bytesOf(text: string): Bytes {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function bufferOf(bytes: Bytes): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** What an agent can say as JSON. Its strings are bytes. */
export type Json = null | boolean | number | Bytes | readonly Json[] | { readonly [name: string]: Json };

/** The same value with its strings as UTF-8. */
export function jsonOf(value: unknown): Json {
  return JSON.parse(bytesOf(JSON.stringify(value))) as Json;
}

/**
 * JSON as an agent of the version writes it. From 0.24 on a byte of 0x80 and above goes out as it is, so that it is UTF-8
 * only if the value was; before, as `\u00XX`. Up to 1.6 slashes are escaped.
 */
export function writeJson(value: Json, version: string): Bytes {
  const escapesBytes = isBefore(version, '0.24.0');
  const escapesSlashes = isBefore(version, '1.7.0');
  const write = (each: Json): Bytes => {
    if (typeof each === 'string') {
      let text = JSON.stringify(each);
      if (escapesBytes) text = text.replace(/[\x7f-\xff]/g, escaped);
      return escapesSlashes ? text.replaceAll('/', '\\/') : text;
    }
    if (Array.isArray(each)) return `[${each.map(write).join(',')}]`;
    if (typeof each === 'object' && each !== null) {
      return `{${Object.entries(each)
        .map(([name, field]) => `${write(name)}:${write(field)}`)
        .join(',')}}`;
    }
    return JSON.stringify(each);
  };
  return write(value);
}

function escaped(byte: string): string {
  return `\\u${byte.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Of two versions `MAJOR.MINOR.PATCH`. */
export function isBefore(version: string, other: string): boolean {
  const [left, right] = [version, other].map((each) => each.split('.').map(Number));
  for (const [i, part] of (right as number[]).entries()) {
    const difference = ((left as number[])[i] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
