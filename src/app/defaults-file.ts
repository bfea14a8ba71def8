import { JsonError, parseJson } from '../config/json-text.js';
import { ThermosError, UsageError } from '../errors/errors.js';
import { parseDuration } from '../text/duration.js';
import { jsonText } from '../text/json.js';
import { nearest } from '../text/near.js';
import { parseSize } from '../text/size.js';

/** A file of defaults; `schemas/config.json` is its schema. */
export interface DefaultsFile {
  roots?: string[];
  mesos_roots?: string[];
  gc?: { max_age?: string; max_tasks?: number; max_space?: string };
  color?: 'auto' | 'never';
  pager?: string;
  masters?: Record<string, string>;
  credentials_file?: string;
}

/** What a key takes, in words, and whether a value is that. */
interface ValueKind {
  takes: string;
  accepts(value: unknown): boolean;
}

interface Keys {
  readonly [key: string]: ValueKind | Keys;
}

const PATHS: ValueKind = {
  takes: 'a list of absolute paths',
  accepts: (value) =>
    Array.isArray(value) && value.every((path) => typeof path === 'string' && /^\/[^\0]*$/.test(path)),
};

/** The names are those of a person; where masters are is checked when one is asked. */
const MASTERS: ValueKind = {
  takes: 'an object of names and texts',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isText),
};

const KEYS: Keys = {
  $schema: { takes: 'a text', accepts: isText },
  roots: PATHS,
  mesos_roots: PATHS,
  gc: {
    max_age: {
      takes: 'a duration such as "90s", "1h30m" or "2d"',
      accepts: (value) => isText(value) && parses(() => parseDuration(value, 'max-age')),
    },
    max_tasks: {
      takes: 'a whole number, 0 or higher',
      accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    },
    max_space: {
      takes: 'a size such as "20G" or "500MB"',
      accepts: (value) => isText(value) && parses(() => parseSize(value, 'max-space')),
    },
  },
  color: { takes: '"auto" or "never"', accepts: (value) => value === 'auto' || value === 'never' },
  pager: { takes: 'a command line', accepts: isText },
  masters: MASTERS,
  credentials_file: {
    takes: 'an absolute path',
    accepts: (value) => isText(value) && /^\/[^\0]*$/.test(value),
  },
};

/** Throws UsageError `defaults-invalid` for the first thing that is wrong: file, line and key. Pure. */
export function parseDefaults(text: string, path: string): DefaultsFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw notJson(text, path);
  }
  const lines = linesOfKeys(text);
  const check = (value: unknown, keys: Keys, prefix: string): void => {
    const key = prefix.slice(0, -1);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw wrong(
        path,
        lines.get(key),
        `${key === '' ? 'the file' : key} takes an object, not ${shown(value)}`,
      );
    for (const [name, inner] of Object.entries(value)) {
      const line = lines.get(prefix + name);
      const kind = Object.hasOwn(keys, name) ? (keys[name] as ValueKind | Keys) : undefined;
      if (kind === undefined) throw unknownKey(path, line, prefix + name, name, keys);
      if (!isKind(kind)) check(inner, kind, `${prefix}${name}.`);
      else if (!kind.accepts(inner))
        throw wrong(path, line, `${prefix}${name} takes ${kind.takes}, not ${shown(inner)}`);
    }
  };
  check(json, KEYS, '');
  return json as DefaultsFile;
}

function isKind(kind: ValueKind | Keys): kind is ValueKind {
  return typeof kind.accepts === 'function';
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof ThermosError) return false;
    throw error;
  }
}

const LONGEST_SHOWN = 60;

function shown(value: unknown): string {
  const text = jsonText(value);
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}...`;
}

function unknownKey(
  path: string,
  line: number | undefined,
  key: string,
  name: string,
  keys: Keys,
): UsageError {
  const [near] = nearest(name, Object.keys(keys));
  return wrong(path, line, `unknown key ${key}`, near === undefined ? undefined : `did you mean ${near}?`);
}

function wrong(path: string, line: number | undefined, what: string, hint?: string): UsageError {
  const where = line === undefined ? path : `${path}:${line}`;
  return new UsageError('defaults-invalid', `${where}: ${what}`, hint ?? "see 'thermos help config'");
}

function notJson(text: string, path: string): UsageError {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return wrong(path, error.line, `this is not JSON: ${error.message}`);
  }
  return wrong(path, undefined, 'this is not JSON');
}

const TOKEN = /"(?:\\.|[^"\\])*"|[{}[\]:]|\n/g;

/** The line of each key of a text that is JSON, by its path: `gc.max_age`. Lines count from 1. */
function linesOfKeys(text: string): Map<string, number> {
  const lines = new Map<string, number>();
  const path: string[] = [];
  let line = 1;
  let last = '';
  let key = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '\n') line += 1;
    else if (token === '{' || token === '[') {
      path.push(key);
    } else if (token === '}' || token === ']') {
      path.pop();
    } else if (token === ':') {
      key = JSON.parse(last) as string;
      lines.set([...path.slice(1), key].join('.'), line);
    } else last = token;
  }
  return lines;
}
