import * as z from 'zod/mini';
import type { Problem } from '../errors/problem.js';

// No schema is compiled: a task is checked once, and a program that root runs should not generate code.
z.config({ jitless: true });

const DESTINATIONS = ['file', 'console', 'both', 'none'] as const;
const MODES = ['standard', 'rotate'] as const;

// These messages follow the name of the field.
const TEXT = 'is not a string';
const FLAG = 'is neither true nor false';
const LIST = 'is not a list';
const OBJECT = 'is not an object';
const NUMBER = 'is not a number of at least 0';
const WHOLE = 'is not a whole number of at least 0';

const text = z.string({ error: TEXT });
const flag = z.nullish(z.boolean({ error: FLAG }));
const number = z.nullish(z.number({ error: NUMBER }).check(z.gte(0, { error: NUMBER })));
const whole = z.int({ error: WHOLE }).check(z.gte(0, { error: WHOLE }));
const list = z.array(z.unknown(), { error: LIST });
const oneOf = <T extends readonly string[]>(words: T) =>
  z.enum(words, { error: `is not one of ${words.join(', ')}` });

const logger = z.object(
  {
    destination: z.optional(oneOf(DESTINATIONS)),
    mode: z.optional(oneOf(MODES)),
    rotate: z.optional(
      z.object({ log_size: z.optional(whole), backups: z.optional(whole) }, { error: OBJECT }),
    ),
  },
  { error: OBJECT },
);

const process = z.object(
  {
    name: text.check(
      z.refine(isProcessName, {
        error: 'cannot be the name of a process, because it also names a directory',
      }),
    ),
    cmdline: text,
    daemon: flag,
    ephemeral: flag,
    final: flag,
    max_failures: z.nullish(whole),
    min_duration: number,
    logger: z.optional(logger),
  },
  { error: OBJECT },
);

const constraint = z.object({ order: z.nullish(list) }, { error: OBJECT });

// The elements of lists are checked one by one: a million wrong elements would give a million issues.
const task = z.object(
  {
    name: z.optional(text),
    user: z.optional(text),
    max_failures: z.nullish(whole),
    max_concurrency: z.nullish(whole),
    finalization_wait: number,
    resources: z.optional(z.record(z.string(), z.unknown(), { error: OBJECT })),
    processes: list,
    constraints: z.nullish(list),
  },
  { error: OBJECT },
);

export type CheckedProcess = z.infer<typeof process>;

/** A task with fields of the right types. A field that is null or absent has the default, which callers know. */
export type CheckedTask = Omit<z.infer<typeof task>, 'processes' | 'constraints' | 'resources'> & {
  processes: readonly CheckedProcess[];
  orders: readonly (readonly string[])[];
};

/** Something in a task that is invalid. */
export interface TaskFault {
  /** A sentence without its full stop: `max_failures of process "a" is not a whole number of at least 0`. */
  readonly message: string;
  /** As in `processes[0].max_failures`; empty for the task itself. */
  readonly field: string;
}

/**
 * Checks that a value from JSON, which may be anything, is a task that can be run: the fields of the original's task
 * file with the right types. Returns the task, or its first faults, at most `most`. The planner checks the relations
 * between processes (orders, cycles). Never throws. Pure.
 */
export function checkTask(json: unknown, most = 1): { task: CheckedTask } | { faults: TaskFault[] } {
  const { task, faults } = examine(json, process, most);
  if (task?.processes.length === 0 && faults.length === 0) {
    faults.push({ message: 'the task has no processes', field: 'processes' });
  }
  return task === undefined || faults.length > 0 ? { faults } : { task };
}

/** At most this many faults of one task file are reported. */
const MOST_REPORTED = 10;

/** A command that only reads a task does not need the command line. */
const lenientProcess = z.extend(process, { cmdline: z.optional(text) });

/** The problems of fields in a task file that no runner would accept; an absent field is not a problem. Pure. */
export function taskFileProblems(json: unknown, path: string | undefined, task_id: string): Problem[] {
  return examine(json, lenientProcess, MOST_REPORTED).faults.map(({ message, field }) => ({
    code: 'task-file-damaged',
    severity: 'warning',
    message: `in the task file, ${message}`,
    path,
    field,
    task_id,
  }));
}

interface Examined<P> {
  task?: Omit<CheckedTask, 'processes'> & { processes: readonly P[] };
  faults: TaskFault[];
}

function examine<P extends z.ZodMiniType>(json: unknown, process: P, most: number): Examined<z.infer<P>> {
  const faults: TaskFault[] = [];
  const check = <T extends z.ZodMiniType>(
    schema: T,
    value: unknown,
    at: string,
    subjectOf: SubjectOf,
  ): z.infer<T> | undefined => {
    const checked = z.safeParse(schema, value);
    if (checked.success) return checked.data;
    for (const { path, message } of checked.error.issues.slice(0, most - faults.length)) {
      faults.push({ message: `${subjectOf(path)} ${message}`, field: fieldOf(at, path) });
    }
    return undefined;
  };

  const outer = check(task, json, '', (path) => String(path.at(-1) ?? 'the task'));
  if (outer === undefined) return { faults };
  const { constraints, resources, ...fields } = outer;
  const processes: z.infer<P>[] = [];
  for (const [i, each] of outer.processes.entries()) {
    if (faults.length >= most) break;
    const checked = check(process, each, `processes[${i}]`, (path) => subjectInProcess(each, path));
    if (checked !== undefined) processes.push(checked);
  }
  const orders: string[][] = [];
  for (const [i, each] of (constraints ?? []).entries()) {
    if (faults.length >= most) break;
    const at = `constraints[${i}]`;
    const { order } = check(constraint, each, at, (path) => String(path.at(-1) ?? 'a constraint')) ?? {};
    const names: string[] = [];
    for (const [j, name] of (order ?? []).entries()) {
      if (faults.length >= most) break;
      const checked = check(text, name, `${at}.order[${j}]`, () => 'order');
      if (checked !== undefined) names.push(checked);
    }
    orders.push(names);
  }
  return { task: { ...fields, processes, orders }, faults };
}

type SubjectOf = (path: readonly PropertyKey[]) => string;

function subjectInProcess(json: unknown, path: readonly PropertyKey[]): string {
  const field = path.at(-1);
  if (field === undefined) return 'a process';
  const { name } = json as { name?: unknown };
  const known = typeof name === 'string' ? JSON.stringify(name) : undefined;
  if (field === 'name') return known ?? 'the name of a process';
  return known === undefined ? `${String(field)} of a process` : `${String(field)} of process ${known}`;
}

function fieldOf(at: string, path: readonly PropertyKey[]): string {
  return [...(at === '' ? [] : [at]), ...path.map(String)].join('.');
}

/** The name also names a directory. */
function isProcessName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !name.includes('/') && !name.includes('\0');
}
