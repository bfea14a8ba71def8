import { AgentFailure } from './failure.js';
import type { HttpAnswer } from './http.js';

/** An answer of this length and less is never more than some hundred megabytes as values. */
const SMALL_BYTES = 1024 * 1024;
/** Each list and each object takes a hundred bytes, however short it is: no agent has as many as this. */
const MOST_PARTS = 4_000_000;

/**
 * An answer as JSON; `latin1`: with a character for each byte of its strings, since agents do not say in which encoding a
 * file is. `hint`: what to look at if it is something else. Throws AgentFailure.
 */
export function jsonIn(
  { body, headers }: Pick<HttpAnswer, 'body' | 'headers'>,
  hint: string,
  encoding: 'latin1' | 'utf8' = 'latin1',
): unknown {
  if (body.length > SMALL_BYTES && partsIn(body) > MOST_PARTS) {
    throw new AgentFailure('odd', `its answer has more than ${MOST_PARTS} lists and objects`, hint);
  }
  try {
    return JSON.parse(body.toString(encoding));
  } catch {
    const [type] = (headers['content-type'] ?? 'nothing').split(';');
    throw new AgentFailure('odd', `its answer is not JSON, but ${type}`, hint);
  }
}

/** The fields of a value; none if it is not an object. Pure. */
export function fieldsIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Those in strings are counted, too. */
function partsIn(body: Buffer): number {
  let parts = 0;
  for (const byte of body) if (byte === 0x5b || byte === 0x7b) parts += 1;
  return parts;
}
