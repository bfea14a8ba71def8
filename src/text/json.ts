import { PLAIN, UNSEEN } from './escape.js';

const EVERY_UNSEEN = new RegExp(UNSEEN, 'gu');

/**
 * As `JSON.stringify` (`null` for values without JSON), and an equal document, but invisible characters are written like
 * `\u200b`, so that a document on a terminal is harmless and shows everything in it.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  if (PLAIN.test(text)) return text;
  return text.replace(EVERY_UNSEEN, (char) => char.split('').map(unitText).join(''));
}

function unitText(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
