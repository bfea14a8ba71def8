import { type Json, json } from './document.js';
import { get } from './interpolate.js';
import type { StructType } from './model.js';
import type { Schema } from './schema.js';

/** A setting of a task, or of one of its processes, that differs from its default. */
export interface Setting {
  /** Undefined: it is the task's. */
  process?: string;
  /** `max_failures`, `logger.rotate.backups`. */
  name: string;
  /** Undefined: it is not set, although it has a default. */
  value?: Json;
  /** Undefined: by default, it is not set. */
  default?: Json;
}

type JsonSettings = { readonly [name: string]: Json };

/**
 * What differs from the defaults of the schema in the document of a task or a process, with all its fields in the order
 * of the schema: those of the task, then those of each process.
 */
export function settingsOf({ task, process }: Schema, type: StructType, document: JsonSettings): Setting[] {
  const ofProcess = usualOf(process);
  if (type !== task) return differences(ofProcess, document, '');
  const { processes, ...own } = document;
  const all = Array.isArray(processes) ? processes.filter(isObject) : [];
  return [
    ...differences(usualOf(task), own, ''),
    ...all.flatMap((each) =>
      differences(ofProcess, each, '').map((setting) => ({ process: String(each.name), ...setting })),
    ),
  ];
}

/** A field with its default, and its own fields if it is a struct. */
interface UsualField {
  readonly name: string;
  readonly usual: Json | undefined;
  readonly fields: readonly UsualField[] | undefined;
}

function usualOf(type: StructType): UsualField[] {
  return [...type.fields.values()].map((field) => ({
    name: field.name,
    usual: field.default && json(get(field.default)),
    fields: field.type.kind === 'Struct' ? usualOf(field.type) : undefined,
  }));
}

function differences(usual: readonly UsualField[], object: JsonSettings, prefix: string): Setting[] {
  const found: Setting[] = [];
  for (const field of usual) {
    const name = prefix + field.name;
    const value = object[field.name];
    if (field.fields !== undefined && isObject(value)) {
      for (const each of differences(field.fields, value, `${name}.`)) found.push(each);
    } else if (!isSame(value, field.usual)) found.push({ name, value, default: field.usual });
  }
  return found;
}

/** Both come from the same type, so equal values are written alike. */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
}

function isObject(value: Json | undefined): value is JsonSettings & Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
