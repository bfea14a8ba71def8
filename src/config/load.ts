import { describeErrno, errnoOf } from '../errors/errors.js';
import { readInput } from '../store/input.js';
import { isDirectory } from '../store/look.js';
import { accept, constructFrom } from './construct.js';
import type { LoadedConfig } from './evaluate.js';
import { JsonError, parseJson } from './json-text.js';
import { LIMITS, limitText, shortened } from './limits.js';
import { Dict, ModelError, type Raw, type StructType, type Type } from './model.js';
import { orRefused } from './problems.js';
import { ConfigError, type Dialect, type ExecuteProgram, type Program } from './program.js';
import { isList } from './python-text.js';
import { createSession } from './session.js';

/** People write configs: a longer file is not one. */
const MAX_BYTES = LIMITS.text.most;

const AURORA_FILE = /\.(aurora|mesos_recipe)$/;
const DIALECT_FILE = /\.(thermos|aurora|mesos_recipe)$/;

export interface LoadOptions extends Pick<Program, 'environment' | 'cwd' | 'print'> {
  /** Called only if the config is written in Python. */
  python: () => Promise<ExecuteProgram>;
}

/**
 * Executes a config; a relative path starts at the working directory. The content shows the language: JSON begins
 * with a bracket, and Python that sets `jobs` is for Aurora. Throws ConfigError.
 */
export async function loadConfig(path: string, options: LoadOptions): Promise<LoadedConfig> {
  const source = readConfig(path);
  const session = createSession();
  const head = source.toString('latin1', 0, 4096).replace(/^\xef\xbb\xbf/, '');
  if (path.endsWith('.json') || /^\s*[{[]/.test(head)) {
    const { meter, schema } = session;
    const value = orRefused('load', path, meter, () => taskFromJson(path, source, schema.task));
    session.exported.push({ value });
    return { path, kind: 'json', session };
  }
  const dialect = dialectOf(path, source);
  const execute = await options.python();
  const { environment, cwd, print } = options;
  await execute({ path, source, dialect, session, environment, cwd, print });
  return { path, kind: dialect, session };
}

function readConfig(path: string): Buffer {
  let source: Buffer;
  try {
    if (isDirectory(path)) throw unreadable(path, 'it is a directory');
    const tooLong = (length: number) => unreadable(path, limitText('text', length));
    source = readInput(path, { max: MAX_BYTES, tooLong });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (errnoOf(error) === 'ENOENT')
      throw new ConfigError('load', 'config-missing', `there is no file ${path}`);
    throw unreadable(path, describeErrno(error));
  }
  if (source.includes(0)) throw unreadable(path, 'it is a binary file');
  return source;
}

function unreadable(path: string, why: string): ConfigError {
  return new ConfigError('load', 'config-unreadable', `cannot read the config ${path}: ${why}`);
}

/** If the name does not say it (a pipe's, for example), what the file sets does. */
function dialectOf(path: string, source: Buffer): Dialect {
  if (DIALECT_FILE.test(path)) return AURORA_FILE.test(path) ? 'aurora' : 'thermos';
  return /^jobs\s*=/m.test(source.toString('latin1')) ? 'aurora' : 'thermos';
}

/**
 * The task of a JSON config: one object with the fields of a task. Unknown fields of the task are ignored, as in
 * the original; in a process they are an error.
 */
function taskFromJson(path: string, source: Buffer, type: StructType): Raw {
  let value: Raw;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(source));
  } catch (error) {
    if (error instanceof JsonError) {
      throw new ConfigError(
        'load',
        'config-syntax',
        `${path}, line ${error.line}: ${shortened(error.message)}`,
      );
    }
    if (error instanceof TypeError) throw unreadable(path, 'it is not UTF-8');
    throw error;
  }
  if (!(value instanceof Dict)) {
    const what = isList(value) ? 'a list' : 'one value';
    throw new ConfigError('load', 'config-invalid', `${path} holds ${what}, not a task`, {
      hint: 'a config in JSON is one object: {"name": …, "processes": [ … ]}',
    });
  }
  try {
    return constructFrom(type, [known(type, value)], []);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const { at, message } = culprit(type, known(type, value)) ?? { at: '', message: error.message };
    const said = message.replace(/^Unknown schema attribute (.*)$/s, "there is no field '$1'");
    throw new ConfigError(
      'load',
      'config-invalid',
      `${path}: ${at === '' ? '' : `${shortened(at)}: `}${shortened(said)}`,
    );
  }
}

/** The innermost value that is not of its type, and why; undefined if there is none. */
function culprit(type: Type, raw: Raw, at = ''): { at: string; message: string } | undefined {
  const inside: [Type | undefined, Raw, string][] = [];
  if (type.kind === 'Struct' && raw instanceof Dict) {
    for (const [name, value] of raw.entries) {
      const field = type.fields.get(name as string);
      inside.push([field?.type, value, at === '' ? String(name) : `${at}.${String(name)}`]);
    }
  } else if (type.kind === 'List' && isList(raw)) {
    for (const [i, value] of raw.entries()) inside.push([type.item, value, `${at}[${i}]`]);
  }
  for (const [each, value, place] of inside) {
    const found = each && culprit(each, value, place);
    if (found !== undefined) return found;
  }
  try {
    accept(type, raw);
    return undefined;
  } catch (error) {
    if (error instanceof ModelError) return { at, message: error.message };
    throw error;
  }
}

/** The fields that the struct has, also in structs inside it, but not in lists. */
function known(type: StructType, value: Dict): Dict {
  const entries = value.entries.flatMap(([name, each]): [Raw, Raw][] => {
    const field = type.fields.get(name as string);
    if (field === undefined) return [];
    return [[name, field.type.kind === 'Struct' && each instanceof Dict ? known(field.type, each) : each]];
  });
  return new Dict(entries);
}
