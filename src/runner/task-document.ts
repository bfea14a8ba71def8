import type { PlannedProcess } from '../config/planner.js';
import { UsageError } from '../errors/errors.js';

export type Destination = 'file' | 'console' | 'both' | 'none';

/** How the output of a process is kept. `log_size` in bytes. */
export interface LoggerPolicy {
  readonly destination: Destination;
  readonly mode: 'standard' | 'rotate';
  readonly log_size: number;
  readonly backups: number;
}

/** What holds where a process says nothing of its logger. */
export const DEFAULT_LOGGER: LoggerPolicy = {
  destination: 'file',
  mode: 'standard',
  log_size: 100 * 1024 * 1024,
  backups: 5,
};

export interface RunnableProcess extends PlannedProcess {
  readonly cmdline: string;
  /** Only what the task says; the rest is the runner's default. */
  readonly logger: Partial<LoggerPolicy>;
}

/** A task that can be run: every field has a value. Times in seconds. */
export interface RunnableTask {
  readonly name: string;
  readonly processes: readonly RunnableProcess[];
  /** The `order` lists of the constraints. */
  readonly orders: readonly (readonly string[])[];
  readonly max_failures: number;
  readonly max_concurrency: number;
  readonly finalization_wait: number;
  readonly user?: string;
  /** As the task file holds it: the original's fields, with all defaults. */
  readonly document: Readonly<Record<string, unknown>>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * The task of an evaluated document, in the fields of the original's task file; what is left out gets its
 * default. Throws UsageError `task-invalid` if it can't be run. What is between the processes (orders, cycles)
 * is the planner's to judge.
 */
export function runnableTask(json: unknown): RunnableTask {
  const task = object(json, 'the task');
  const written = list(task.processes, 'processes').map(processOf);
  const [first] = written;
  if (first === undefined) throw invalid('the task has no processes');
  // Of processes with one name the last is the one that runs, as in the original.
  const processes = [...new Map(written.map((process) => [process.name, process])).values()];
  const orders = list(task.constraints ?? [], 'constraints').map((each) =>
    list(object(each, 'a constraint').order ?? [], 'order').map((name) => text(name, 'order')),
  );
  const numbers = {
    finalization_wait: number(task.finalization_wait ?? 30, 'finalization_wait'),
    max_failures: integer(task.max_failures ?? 1, 'max_failures'),
    max_concurrency: integer(task.max_concurrency ?? 0, 'max_concurrency'),
  };
  const name = task.name === undefined ? first.name : text(task.name, 'name');
  const user = task.user === undefined ? undefined : text(task.user, 'user');
  const document: Record<string, unknown> = {
    ...task,
    processes: list(task.processes, 'processes').map((each, i) => documentOf(each as Json, written[i])),
    name,
    ...numbers,
    constraints: orders.map((order) => ({ order })),
  };
  if (task.resources !== undefined) document.resources = { gpu: 0, ...object(task.resources, 'resources') };
  return { name, processes, orders, ...numbers, user, document };
}

function documentOf(json: Json, process: RunnableProcess | undefined): Json {
  const { name, cmdline, daemon, ephemeral, final, max_failures, min_duration } = process as RunnableProcess;
  return { ...json, daemon, name, max_failures, ephemeral, min_duration, cmdline, final };
}

function processOf(json: unknown): RunnableProcess {
  const process = object(json, 'a process');
  const name = text(process.name, 'the name of a process');
  if (name === '' || name.startsWith('.') || name.includes('/') || name.includes('\0')) {
    throw invalid(`${JSON.stringify(name)} can't be the name of a process: it is a directory's, too`);
  }
  const of = (field: string) => `${field} of process ${JSON.stringify(name)}`;
  return {
    name,
    cmdline: text(process.cmdline, of('cmdline')),
    daemon: flag(process.daemon ?? false, of('daemon')),
    ephemeral: flag(process.ephemeral ?? false, of('ephemeral')),
    final: flag(process.final ?? false, of('final')),
    max_failures: integer(process.max_failures ?? 1, of('max_failures')),
    min_duration: number(process.min_duration ?? 5, of('min_duration')),
    logger: process.logger === undefined ? {} : loggerOf(object(process.logger, of('logger')), of),
  };
}

function loggerOf(logger: Json, of: (field: string) => string): Partial<LoggerPolicy> {
  const rotate = logger.rotate === undefined ? {} : object(logger.rotate, of('rotate'));
  const { destination, mode } = logger;
  const policy: { -readonly [Field in keyof LoggerPolicy]?: LoggerPolicy[Field] } = {};
  if (destination !== undefined) policy.destination = oneOf(destination, DESTINATIONS, of('destination'));
  if (mode !== undefined) policy.mode = oneOf(mode, MODES, of('mode'));
  if (rotate.log_size !== undefined) policy.log_size = integer(rotate.log_size, of('log_size'));
  if (rotate.backups !== undefined) policy.backups = integer(rotate.backups, of('backups'));
  return policy;
}

const DESTINATIONS = ['file', 'console', 'both', 'none'] as const;
const MODES = ['standard', 'rotate'] as const;

/** A line of JSON as the original writes it: what is not ASCII is escaped. */
export function taskFileText(task: RunnableTask): string {
  return JSON.stringify(task.document).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * True if two tasks are the same in all fields, in whatever order these are written. Processes and constraints
 * mean the same in any order, too: where a config combines tasks the original has them as its hashes fall.
 */
export function isSameTask(a: RunnableTask, b: RunnableTask): boolean {
  return canonical(unordered(a)) === canonical(unordered(b));
}

function unordered({ document }: RunnableTask): Json {
  const sorted = (items: unknown, key: (item: unknown) => string) =>
    list(items, 'items')
      .map((item) => ({ item, key: key(item) }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      .map(({ item }) => item);
  // Of one name they keep their order: the last is the one that runs.
  const processes = sorted(document.processes, (process) => String((process as Json).name));
  return { ...document, processes, constraints: sorted(document.constraints, canonical) };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1));
  });
}

function invalid(message: string): UsageError {
  return new UsageError('task-invalid', message);
}

function object(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw invalid(`${what} is no object`);
}

function list(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(`${what} is no list`);
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`${what} is no text`);
}

function flag(value: unknown, what: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(`${what} is neither true nor false`);
}

function number(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw invalid(`${what} is no number of at least 0`);
}

function integer(value: unknown, what: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw invalid(`${what} is no whole number of at least 0`);
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], what: string): T {
  if (allowed.includes(value as T)) return value as T;
  throw invalid(`${what} is none of ${allowed.join(', ')}`);
}
