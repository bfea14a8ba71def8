import { PLAIN, UNSEEN } from './escape.js';

const EVERY_UNSEEN = new RegExp(UNSEEN, 'gu');

/**
 * As `JSON.stringify` (`null` for what has no JSON), and the same document, but what can't be seen is written as
 * `\u200b`: a document that is printed on a terminal does nothing to it, and shows what is in it.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  if (PLAIN.test(text)) return text;
  return text.replace(EVERY_UNSEEN, (char) => char.split('').map(unitText).join(''));
}

function unitText(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
