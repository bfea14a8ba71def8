import { type PlanFault, type PlannedProcess, planOf } from '../config/planner.js';
import { UsageError } from '../errors/errors.js';
import { type CheckedProcess, checkTask } from '../task/task-schema.js';
import { asciiJson, type JsonObject } from '../text/json.js';

export type Destination = 'file' | 'console' | 'both' | 'none';

/** How the output of a process is logged. `log_size` in bytes. */
export interface LoggerPolicy {
  readonly destination: Destination;
  readonly mode: 'standard' | 'rotate';
  readonly log_size: number;
  readonly backups: number;
}

/** The defaults for processes without logger settings. */
export const DEFAULT_LOGGER: LoggerPolicy = {
  destination: 'file',
  mode: 'standard',
  log_size: 100 * 1024 * 1024,
  backups: 5,
};

export interface RunnableProcess extends PlannedProcess {
  readonly cmdline: string;
  /** Only the task's own settings; the runner's defaults apply to the rest. */
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
  /** The content of the task file: the original's fields, with all defaults. */
  readonly document: Readonly<Record<string, unknown>>;
}

/**
 * The task in an evaluated document, which has the fields of the original's task file; missing ones get their defaults.
 * Throws UsageError `task-invalid` if it cannot be run. Relations between processes (orders, cycles) are checked by the
 * planner: `checkPlans`.
 */
export function runnableTask(json: unknown): RunnableTask {
  const checked = checkTask(json);
  if ('faults' in checked)
    throw new UsageError('task-invalid', checked.faults[0]?.message ?? 'the task is not valid');
  const { task } = checked;
  const given = json as JsonObject;
  const written = task.processes.map(processOf);
  // Of several processes with one name only the last runs, as in the original.
  const processes = [...new Map(written.map((process) => [process.name, process])).values()];
  const numbers = {
    finalization_wait: task.finalization_wait ?? 30,
    max_failures: task.max_failures ?? 1,
    max_concurrency: task.max_concurrency ?? 0,
  };
  const { orders, user, name = (written[0] as RunnableProcess).name } = task;
  const document: Record<string, unknown> = {
    ...given,
    processes: (given.processes as JsonObject[]).map((each, i) =>
      documentOf(each, written[i] as RunnableProcess),
    ),
    name,
    ...numbers,
    constraints: orders.map((order) => ({ order })),
  };
  if (given.resources !== undefined) document.resources = { gpu: 0, ...(given.resources as JsonObject) };
  return { name, processes, orders, ...numbers, user, document };
}

function documentOf(json: JsonObject, process: RunnableProcess): JsonObject {
  const { name, cmdline, daemon, ephemeral, final, max_failures, min_duration } = process;
  return { ...json, daemon, name, max_failures, ephemeral, min_duration, cmdline, final };
}

function processOf({ name, cmdline, logger = {}, ...process }: CheckedProcess): RunnableProcess {
  const { destination, mode, rotate = {} } = logger;
  return {
    name,
    cmdline,
    daemon: process.daemon ?? false,
    ephemeral: process.ephemeral ?? false,
    final: process.final ?? false,
    max_failures: process.max_failures ?? 1,
    min_duration: process.min_duration ?? 5,
    logger: {
      ...(destination === undefined ? {} : { destination }),
      ...(mode === undefined ? {} : { mode }),
      ...rotate,
    },
  };
}

/** Throws UsageError `task-invalid` if the processes of a task cannot run in any order that its constraints allow. */
export function checkPlans({ processes, orders }: RunnableTask): void {
  const known = new Set(processes.map(({ name }) => name));
  for (const order of orders) {
    const unknown = order.find((name) => !known.has(name));
    if (unknown !== undefined) {
      throw new UsageError(
        'task-invalid',
        `a constraint names process ${JSON.stringify(unknown)}, which does not exist`,
      );
    }
  }
  for (const final of [false, true]) {
    const [fault] = planOf(processes, orders, final).faults;
    if (fault !== undefined) throw new UsageError('task-invalid', describeFault(fault));
  }
}

function describeFault(fault: PlanFault): string {
  switch (fault.kind) {
    case 'mixed':
      return `the order ${fault.order.join(', ')} mixes final and other processes`;
    case 'empty':
      return 'a constraint orders no processes';
    case 'cycle':
      return `processes wait for each other: ${fault.cycle.join(', ')}`;
    default:
      return `process ${fault.process} cannot come after ${fault.on}, which is ${fault.kind}`;
  }
}

/** A line of JSON in the original's format, with all non-ASCII characters escaped. */
export function taskFileText(task: RunnableTask): string {
  return asciiJson(task.document);
}

/**
 * True if two tasks are equal in all fields, in any order of fields. The order of processes and constraints does not
 * matter either: where a config combines tasks, it depends on hashes in the original.
 */
export function isSameTask(a: RunnableTask, b: RunnableTask): boolean {
  return canonical(unordered(a)) === canonical(unordered(b));
}

function unordered({ document }: RunnableTask): JsonObject {
  const sorted = (items: unknown, key: (item: unknown) => string) =>
    (items as readonly unknown[])
      .map((item) => ({ item, key: key(item) }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      .map(({ item }) => item);
  // Processes with one name keep their order, because only the last one runs.
  const processes = sorted(document.processes, (process) => String((process as JsonObject).name));
  return { ...document, processes, constraints: sorted(document.constraints, canonical) };
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1));
  });
}
