import type { ProblemCode } from '../../errors/codes.js';
import { LIMITS, shortened } from '../limits.js';
import { ConfigError, type Program } from '../program.js';
import { isId, isPair, isRecord } from '../wire.js';
import type { PythonFailure } from './protocol.js';
import { python2Hint, python2NameHint, python2SyntaxHint } from './python2.js';

/** Exceptions with a message that says everything; others are shown with their name. */
const PLAIN = new Set([
  'ValueError',
  'CoercionError',
  'NameError',
  'AttributeError',
  'AssertionError',
  'ImportError',
  'ModuleNotFoundError',
  'PermissionError',
  'Exception',
]);

const AURORA_NAMES =
  /^(Mesos)?Job$|^Service$|^Announcer$|^UpdateConfig$|^Health|^Container$|^Docker$|^Mesos$/;

/**
 * The failure that execute.py reports, or null if there was none. Undefined if the text is something else: a config
 * can reach the modules that make it.
 */
export function parseFailure(text: unknown): PythonFailure | null | undefined {
  if (typeof text !== 'string' || text.length > MAX_FAILURE) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return value === null ? null : isFailure(value) ? value : undefined;
}

function isFailure(value: unknown): value is PythonFailure {
  if (!isRecord(value)) return false;
  const { type, mro, message, traceback, path, line, included_from: from } = value;
  return (
    [type, message, traceback].every((each) => typeof each === 'string') &&
    Array.isArray(mro) &&
    mro.every((each) => typeof each === 'string') &&
    (path === undefined || typeof path === 'string') &&
    (line === undefined || line === null || isId(line)) &&
    (from === undefined || (Array.isArray(from) && from.every(isPlace))) &&
    TEXTS.every(
      (name) => value[name] === undefined || value[name] === null || typeof value[name] === 'string',
    )
  );
}

function isPlace(value: unknown): boolean {
  return isPair(value) && typeof value[0] === 'string' && isId(value[1]);
}

const TEXTS = ['text', 'strerror', 'file', 'name'];

/** Far more than execute.py reports. */
const MAX_FAILURE = 16 * 1024 * 1024;

/** The error for an exception that left a config: where, what, what to write instead. Pure. */
export function failureOfConfig(
  failure: PythonFailure,
  program: Pick<Program, 'path' | 'dialect'>,
): ConfigError {
  const { code, text, hint } = explain(failure, program);
  const path = failure.path ?? program.path;
  const place = failure.line ? `${path}, line ${failure.line}` : path;
  const from = failure.included_from?.length && !isA(failure, 'RecursionError') ? includedFrom(failure) : '';
  return new ConfigError('load', code, `${place}: ${shortened(text)}${from}`, {
    hint,
    debug: failure.traceback,
  });
}

interface Explanation {
  code: ProblemCode;
  text: string;
  hint?: string;
}

function explain(failure: PythonFailure, program: Pick<Program, 'dialect'>): Explanation {
  const { type, message } = failure;
  if (isA(failure, 'SyntaxError')) {
    return { code: 'config-syntax', text: message, hint: python2SyntaxHint(message, failure.text ?? '') };
  }
  if (isA(failure, 'SystemExit')) {
    return { code: 'config-exit', text: `the config exited: sys.exit(${message})` };
  }
  if (isA(failure, 'RecursionError')) return endlessRecursion(failure);
  if (isA(failure, 'MemoryError')) {
    const most = `${LIMITS.memory.most / 2 ** 20} MiB`;
    return { code: 'config-memory', text: `the config needs more memory than it may use (${most})` };
  }
  if (isA(failure, 'OSError') && failure.strerror) return fileFailure(failure);
  if (isA(failure, 'NameError') && failure.name) {
    return { code: 'config-name', text: message, hint: nameHint(failure.name, program) };
  }
  if (type === 'AssertionError' && message === '') {
    return { code: 'config-exception', text: `assertion failed: ${failure.text ?? 'assert'}` };
  }
  const text = PLAIN.has(type) && message !== '' ? message : `${type}${message === '' ? '' : `: ${message}`}`;
  return { code: 'config-exception', text, hint: python2Hint(failure) };
}

function isA({ mro }: PythonFailure, name: string): boolean {
  return mro.includes(name);
}

function fileFailure({ strerror, file }: PythonFailure): Explanation {
  const what = strerror?.toLowerCase() ?? '';
  const hint = what.startsWith('read-only') ? 'a config can read files, not write them' : undefined;
  return { code: 'config-file', text: `${file ?? 'a file'}: ${what}`, hint };
}

function endlessRecursion({ path, included_from: from = [] }: PythonFailure): Explanation {
  const code = 'config-recursion';
  const files = new Set(from.map(([file]) => file));
  const times = from.filter(([file]) => file === path).length;
  const called = new Set(from.map(([file, line]) => JSON.stringify([file, line]))).size;
  if (times > 10 && called <= files.size) {
    const others = [...files].filter((file) => file !== path);
    const round = others.length > 0 ? ` through ${others.join(', ')}` : '';
    return { code, text: `the file includes itself${round}` };
  }
  return { code, text: 'something calls itself without end' };
}

function includedFrom({ path, included_from: from = [] }: PythonFailure): string {
  const others = from.filter(([file]) => file !== path);
  const last = others.at(-1);
  return last === undefined ? '' : ` (included by ${last[0]}, line ${last[1]})`;
}

function nameHint(name: string, { dialect }: Pick<Program, 'dialect'>): string | undefined {
  if (name === 'Packer') {
    return 'Packer came with a plug-in of the Aurora client that was never published: fetch the package in a Process of your own';
  }
  if (dialect === 'thermos' && AURORA_NAMES.test(name)) {
    return `${name} is known in .aurora files; a .thermos file exports a Task`;
  }
  if (dialect === 'aurora' && name === 'export') {
    return 'an .aurora file names its jobs in a list: jobs = [Job(…)]; export is for .thermos files';
  }
  return python2NameHint(name);
}
