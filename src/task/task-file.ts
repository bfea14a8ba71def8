import type { ProblemCode } from '../errors/codes.js';
import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { type OpenOptions, openFile, tooBig } from '../store/open-file.js';
import { unreadable } from '../store/problems.js';

/** The fields of a process in a task file that commands which only read a task need. */
export interface ProcessConfig {
  name: string;
  cmdline?: string;
  max_failures?: number;
  daemon: boolean;
  ephemeral: boolean;
  final: boolean;
  min_duration?: number;
  /** Of the logger: `file` (also when it isn't set), `console`, `both`, `none`. */
  log_destination?: string;
}

/** A task file (ROOT/tasks/PHASE/ID): the task with everything filled in. Nothing in it is trusted. */
export interface TaskConfig {
  name?: string;
  processes: ProcessConfig[];
  /** The `order` lists of the constraints. */
  orders: string[][];
  max_failures?: number;
  max_concurrency?: number;
  finalization_wait?: number;
  /** As in the file: cores, bytes, bytes, devices. */
  resources: Partial<Record<'cpu' | 'ram' | 'disk' | 'gpu', number>>;
  /** The whole file. */
  raw: Record<string, unknown>;
}

export interface TaskFileResult {
  config?: TaskConfig;
  problem?: Problem;
}

/** A task file is one line of JSON; a bigger file is not a task file. */
export const MAX_TASK_FILE_BYTES = 16 * 1024 * 1024;

let shared: Buffer | undefined;

/**
 * Reads a task file, opened as `opening` says. Returns its config, or what is wrong with it as a problem; neither if
 * the file does not exist.
 */
export function readTaskFile(path: string, opening: OpenOptions = {}): TaskFileResult {
  let text: string;
  try {
    text = readWhole(path, opening);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return {};
    const tried = `read the task file ${path}`;
    return {
      problem: unreadable({ code: 'task-file-unreadable', tried, what: 'the task file', error, path }),
    };
  }
  return parseTaskFile(text, path);
}

/** The config in the text of the task file at a path, or what is wrong with it. Pure. */
export function parseTaskFile(text: string, path: string): TaskFileResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    const cut = text.trimEnd().endsWith('}') ? '' : ', it looks cut off';
    return { problem: problem('task-file-damaged', path, `the task file ${path} is not valid JSON${cut}`) };
  }
  const config = parseTaskConfig(json);
  if (config !== undefined) return { config };
  return { problem: problem('task-file-damaged', path, `the task file ${path} does not describe a task`) };
}

function problem(code: ProblemCode, path: string, message: string): Problem {
  return { code, severity: 'error', message, path };
}

/** The shared buffer avoids an allocation for each of thousands of small files. */
function readWhole(path: string, opening: OpenOptions): string {
  const file = openFile(path, opening);
  try {
    const { size } = file.stat;
    if (size > MAX_TASK_FILE_BYTES) throw tooBig(path, size, MAX_TASK_FILE_BYTES);
    shared ??= Buffer.allocUnsafeSlow(64 * 1024);
    const buffer = size <= shared.length ? shared : Buffer.allocUnsafe(size);
    return buffer.toString('utf8', 0, file.readAt(buffer, 0, size, 0));
  } finally {
    file.close();
  }
}

/** JSON.parse accepts any depth, but JSON.stringify overflows the stack at a few thousand levels. */
const DEEPEST = 1000;

/** True if a value from JSON is nested too deeply to be written again. */
export function isTooDeep(json: unknown): boolean {
  let level = [json];
  for (let depth = 0; depth < DEEPEST; depth++) {
    if (level.length === 0) return false;
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const inner of Object.values(value)) below.push(inner);
    }
    level = below;
  }
  return true;
}

/** The task that a parsed task file describes; undefined if it is not a task. Omits parts of the wrong type. */
export function parseTaskConfig(json: unknown): TaskConfig | undefined {
  if (!isObject(json) || !Array.isArray(json.processes)) return undefined;
  const { name, max_failures, max_concurrency, finalization_wait, constraints, resources } = json;
  return {
    name: asString(name),
    processes: json.processes.map(parseProcess).filter((process) => process !== undefined),
    orders: Array.isArray(constraints) ? constraints.map(parseOrder).filter((order) => order.length > 0) : [],
    max_failures: asInteger(max_failures),
    max_concurrency: asInteger(max_concurrency),
    finalization_wait: asNumber(finalization_wait),
    resources: isObject(resources)
      ? {
          cpu: asNumber(resources.cpu),
          ram: asNumber(resources.ram),
          disk: asNumber(resources.disk),
          gpu: asNumber(resources.gpu),
        }
      : {},
    raw: json,
  };
}

function parseProcess(json: unknown): ProcessConfig | undefined {
  if (!isObject(json) || typeof json.name !== 'string') return undefined;
  return {
    name: json.name,
    cmdline: asString(json.cmdline),
    max_failures: asInteger(json.max_failures),
    daemon: json.daemon === true,
    ephemeral: json.ephemeral === true,
    final: json.final === true,
    min_duration: asNumber(json.min_duration),
    log_destination: isObject(json.logger) ? asString(json.logger.destination) : undefined,
  };
}

function parseOrder(json: unknown): string[] {
  if (!isObject(json) || !Array.isArray(json.order)) return [];
  return json.order.filter((name) => typeof name === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** JSON allows numbers like 1e999, which are parsed as infinite. */
function asNumber(value: unknown): number | undefined {
  return Number.isFinite(value) ? (value as number) : undefined;
}

function asInteger(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}
