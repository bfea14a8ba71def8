import { isTerminalProcessState, isTerminalTaskState } from '../checkpoint/records.js';
import type { JsonObject } from '../text/json.js';
import { busyTimes, criticalPath } from './critical-path.js';
import { orderedPairs } from './ordering.js';
import type { TaskConfig } from './task-file.js';
import type { ProcessView, TaskView } from './view.js';

/** A task on disk, or one that has not run. */
export interface Compared {
  view?: TaskView;
  /** Undefined for a task without a task file. */
  config?: TaskConfig;
}

/** Values are as they were read. */
export interface ConfigChange {
  /** Absent for the task's own settings. */
  process?: string;
  /** `max_failures`, `logger.rotate.backups`; `order` for two processes that one constraint orders. Absent for a whole process. */
  field?: string;
  change: 'added' | 'removed' | 'changed';
  a?: unknown;
  b?: unknown;
}

export interface OutcomeChange {
  process?: string;
  field: 'state' | 'return_code' | 'runs' | 'failures';
  a?: string | number;
  b?: string | number;
}

export interface DurationPair {
  /** Absent for the whole task. */
  process?: string;
  /** Whole milliseconds; absent if it has not run to its end. */
  a_ms?: number;
  b_ms?: number;
  /** How much longer the second one took; absent if one of them is not known, or took no time. */
  factor?: number;
}

export interface Comparison {
  /** Undefined if one of them has no task file. */
  config?: readonly ConfigChange[];
  /** Undefined, as `durations`, if one of them has not run. */
  outcome?: readonly OutcomeChange[];
  durations?: readonly DurationPair[];
}

/** What differs between two tasks, from the first to the second. Pure. `now`: milliseconds since the epoch. */
export function compareTasks(a: Compared, b: Compared, now: number): Comparison {
  return {
    config: a.config && b.config && configChanges(a.config, b.config),
    ...(a.view !== undefined &&
      b.view !== undefined && {
        outcome: outcomeChanges(a.view, b.view),
        durations: durationPairs(a.view, b.view, now),
      }),
  };
}

/** True if the tasks are configured the same and ended the same, as far as both can be compared. How long they took does not matter. */
export function isSame({ config, outcome }: Comparison): boolean {
  return (config ?? []).length === 0 && (outcome ?? []).length === 0;
}

function configChanges(a: TaskConfig, b: TaskConfig): ConfigChange[] {
  const [before, after] = [processesOf(a), processesOf(b)];
  const common = [...before.keys()].filter((name) => after.has(name));
  return [
    ...fieldChanges(settingsOf(a), settingsOf(b)),
    ...[...before.keys()]
      .filter((process) => !after.has(process))
      .map((process): ConfigChange => ({ process, change: 'removed' })),
    ...[...after.keys()]
      .filter((process) => !before.has(process))
      .map((process): ConfigChange => ({ process, change: 'added' })),
    ...common.flatMap((process) =>
      fieldChanges(before.get(process) as JsonObject, after.get(process) as JsonObject).map(
        (change): ConfigChange => ({ process, ...change }),
      ),
    ),
    ...orderChanges(a, b),
  ];
}

function settingsOf({ raw: { processes: _, constraints: __, ...settings } }: TaskConfig): JsonObject {
  return settings;
}

/** Of several processes with one name, only the last runs. */
function processesOf({ raw }: TaskConfig): Map<string, JsonObject> {
  const all = (raw.processes as unknown[]).filter(isObject);
  return new Map(all.flatMap((each) => (typeof each.name === 'string' ? [[each.name, each]] : [])));
}

function fieldChanges(a: JsonObject, b: JsonObject): ConfigChange[] {
  const [before, after] = [leavesOf(a), leavesOf(b)];
  const fields = new Set([...before.keys(), ...after.keys()]);
  return [...fields].flatMap((field): ConfigChange[] => {
    const [x, y] = [before.get(field), after.get(field)];
    if (JSON.stringify(x) === JSON.stringify(y)) return [];
    const change = x === undefined ? 'added' : y === undefined ? 'removed' : 'changed';
    return [{ field, change, a: x, b: y }];
  });
}

/** The fields of structs, by their path; a list is one value. */
function leavesOf(object: JsonObject): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const add = (inner: JsonObject, prefix: string) => {
    for (const [name, value] of Object.entries(inner)) {
      if (isObject(value) && Object.keys(value).length > 0) add(value, `${prefix}${name}.`);
      else leaves.set(prefix + name, value);
    }
  };
  add(object, '');
  return leaves;
}

function orderChanges(a: TaskConfig, b: TaskConfig): ConfigChange[] {
  const keyOf = (pair: readonly string[]) => JSON.stringify(pair);
  const [before, after] = [orderedPairs(a.orders), orderedPairs(b.orders)];
  const [inBefore, inAfter] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  return [
    ...before
      .filter((pair) => !inAfter.has(keyOf(pair)))
      .map((pair): ConfigChange => ({ field: 'order', change: 'removed', a: pair })),
    ...after
      .filter((pair) => !inBefore.has(keyOf(pair)))
      .map((pair): ConfigChange => ({ field: 'order', change: 'added', b: pair })),
  ];
}

const OUTCOMES = ['state', 'return_code', 'runs', 'failures'] as const;

/** Processes that only one of them has are not an outcome: the config, or its absence, says why. */
function outcomeChanges(a: TaskView, b: TaskView): OutcomeChange[] {
  const state: OutcomeChange = { field: 'state', a: a.state, b: b.state };
  return [
    ...(a.state === b.state ? [] : [state]),
    ...pairsOf(a, b).flatMap(([x, y]) =>
      OUTCOMES.filter((field) => x[field] !== y[field]).map(
        (field): OutcomeChange => ({ process: x.process, field, a: x[field], b: y[field] }),
      ),
    ),
  ];
}

function pairsOf(a: TaskView, b: TaskView): [ProcessView, ProcessView][] {
  const others = new Map(b.processes.map((process) => [process.process, process]));
  return a.processes.flatMap((process): [ProcessView, ProcessView][] => {
    const other = others.get(process.process);
    return other === undefined ? [] : [[process, other]];
  });
}

function durationPairs(a: TaskView, b: TaskView, now: number): DurationPair[] {
  const [before, after] = [busyTimes(a, now), busyTimes(b, now)];
  const ended = ({ state, process }: ProcessView, times: ReadonlyMap<string, number>) =>
    isTerminalProcessState(state) ? times.get(process) : undefined;
  return [
    durationPair(undefined, durationOf(a, now), durationOf(b, now)),
    ...pairsOf(a, b).map(([x, y]) => durationPair(x.process, ended(x, before), ended(y, after))),
  ].filter(({ a_ms, b_ms }) => a_ms !== undefined || b_ms !== undefined);
}

function durationOf(view: TaskView, now: number): number | undefined {
  return isTerminalTaskState(view.state) ? criticalPath(view, now)?.duration_ms : undefined;
}

function durationPair(
  process: string | undefined,
  a_ms: number | undefined,
  b_ms: number | undefined,
): DurationPair {
  const factor = a_ms && b_ms ? Number((b_ms / a_ms).toPrecision(3)) : undefined;
  return { ...(process !== undefined && { process }), a_ms, b_ms, factor };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
