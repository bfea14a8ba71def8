import { get, interpolate } from './interpolate.js';
import { Dict, Float, type Node, type Raw } from './model.js';
import { isList, pythonText } from './python-text.js';

/** A value as it is in a task file. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** The evaluated object, as the original wrote it into the task file: unset fields are absent. */
export function documentOf(node: Node): { [name: string]: Json } {
  return json(get(interpolate(node).node)) as { [name: string]: Json };
}

/** Integers that JSON readers would round are decimal strings, as everywhere in `--json`. */
export function json(raw: Raw): Json {
  if (raw === null || typeof raw === 'string' || typeof raw === 'boolean') return raw;
  if (typeof raw === 'bigint') return Number.isSafeInteger(Number(raw)) ? Number(raw) : String(raw);
  if (raw instanceof Float) return Number.isFinite(raw.value) ? raw.value : pythonText(raw);
  if (raw instanceof Dict) {
    const object: { [name: string]: Json } = Object.create(null);
    for (const [key, value] of raw.entries) object[pythonText(key)] = json(value);
    return object;
  }
  return isList(raw) ? raw.map(json) : pythonText(raw);
}
