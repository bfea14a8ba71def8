import { PLAIN, UNSEEN } from './escape.js';

/** A value of JSON that is an object; what is in it has not been checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Made when used, as in `escape.ts`. */
let everyUnseen: RegExp | undefined;

/**
 * As `JSON.stringify` (`null` for values without JSON), and an equal document, but invisible characters are written like
 * `\u200b`, so that a document on a terminal is harmless and shows everything in it.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  if (PLAIN.test(text)) return text;
  everyUnseen ??= new RegExp(UNSEEN, 'gu');
  return text.replace(everyUnseen, (char) => char.split('').map(unitText).join(''));
}

/** As `JSON.stringify`, but everything that is not ASCII is escaped: also a Python literal if the value is a string. Pure. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, unitText);
}

function unitText(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
