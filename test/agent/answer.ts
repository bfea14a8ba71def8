import { type Bytes, type Json, writeJson } from './bytes.js';

/** The query of a call, its values decoded to bytes. */
export type Query = ReadonlyMap<string, Bytes>;

/** The answer to a call. */
export interface Answer {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Bytes, or a file and as much of its beginning as there was when the call came. */
  body: Bytes | { path: Buffer; bytes: number };
}

/** JSON, or the call of a script if the query names a function for it. No header lets a page of another origin read it. */
export function jsonAnswer(value: Json, query: Query, version: string): Answer {
  const text = writeJson(value, version);
  const jsonp = query.get('jsonp');
  return jsonp === undefined
    ? { status: 200, headers: { 'Content-Type': 'application/json' }, body: text }
    : { status: 200, headers: { 'Content-Type': 'text/javascript' }, body: `${jsonp}(${text});` };
}

export function failure(status: number, message: Bytes = ''): Answer {
  return {
    status,
    headers: message === '' ? {} : { 'Content-Type': 'text/plain; charset=utf-8' },
    body: message,
  };
}

/** The query of an address; undefined if it is not well formed. */
export function queryOf(text: string): Query | undefined {
  const query = new Map<string, Bytes>();
  for (const field of text.split('&').filter((each) => each !== '')) {
    const [name, value] = [/^[^=]*/.exec(field)?.[0] ?? '', field.slice(field.indexOf('=') + 1)].map(
      unquoted,
    );
    if (name === undefined || value === undefined) return undefined;
    query.set(name, field.includes('=') ? value : '');
  }
  return query;
}

function unquoted(text: string): Bytes | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  return text
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
