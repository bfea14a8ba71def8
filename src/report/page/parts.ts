import { timestamp } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import { html } from './html.js';

/** The longest text that is shown of what is one line: a name, a path, a message. */
export const LONGEST = 2000;

/** Text from a disk, safe to show, and no longer than a line may be. A cut is visible. */
export function shown(text: string, longest = LONGEST): string {
  if (text.length <= longest) return visible(text);
  const kept = text.slice(0, longest).replace(/[\ud800-\udbff]$/, '');
  return `${visible(kept)}… (${text.length - kept.length} more characters)`;
}

/** A short name in a drawing, cut in the middle: its end often distinguishes it from others. */
export function short(name: string, longest: number): string {
  const text = visible(name.slice(0, 10 * longest));
  const characters = Array.from(text);
  if (characters.length <= longest) return text;
  const end = Math.floor((longest - 1) / 3);
  return `${characters.slice(0, longest - 1 - end).join('')}…${characters.slice(characters.length - end).join('')}`;
}

/** `1 run`, `12 runs`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A time in UTC as a person reads it, `2014-05-13 16:53:20 UTC`; a machine finds RFC 3339 in it. */
export function time(milliseconds: number | undefined) {
  const text = timestamp(milliseconds);
  if (!/^\d{4}-.*Z$/.test(text)) return html`<span>${text}</span>`;
  return html`<time datetime=${text}>${readable(text)}</time>`;
}

/** `2014-05-13 16:53:20.123 UTC`; other texts as they are. */
export function timeText(milliseconds: number | undefined): string {
  return readable(timestamp(milliseconds));
}

function readable(text: string): string {
  return /^\d{4}-.*Z$/.test(text) ? text.replace('T', ' ').replace('Z', ' UTC') : text;
}

/** Of an integer that may be a text because it is a large one. */
export function milliseconds(value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
