import { listed } from '../config/limits.js';
import { NotFoundError } from '../errors/errors.js';
import type { ProcessLogs, TaskLogs } from './task-logs.js';

/** `last`: the last run that began. Negative numbers count from there: -1 is the last one. */
export type RunChoice = 'last' | 'all' | readonly number[];

/** The run before the last one. */
export const PREVIOUS = -2;

export interface ChosenProcess {
  task: TaskLogs;
  process: ProcessLogs;
  /** Numbers of runs, ascending; empty if it has not run. */
  runs: number[];
}

/**
 * The processes that the words select, of all tasks in their order; all processes if there are no words. A word
 * is a name, or else a glob with `*` and `?`. Throws NotFoundError for a word that matches no process.
 */
export function chooseProcesses(
  tasks: readonly TaskLogs[],
  words: readonly string[],
  runs: RunChoice,
): ChosenProcess[] {
  const matches = words.map((word) => matcherOf(tasks, word));
  const chosen: ChosenProcess[] = [];
  for (const task of tasks) {
    for (const process of task.processes) {
      if (words.length > 0 && !matches.some((matches) => matches(process.process))) continue;
      chosen.push({ task, process, runs: chooseRuns(process, runs) });
    }
  }
  refuseUnknownRuns(chosen, runs);
  return chosen;
}

/** Whether one of the words selects a process of this name; without words, all are selected. */
export function selectsProcess(words: readonly string[], name: string): boolean {
  if (words.length === 0) return true;
  return words.some((word) => word === name || (/[*?]/.test(word) && globOf(word).test(name)));
}

/** The chosen runs of one process that have begun. */
export function chooseRuns({ started }: ProcessLogs, runs: RunChoice): number[] {
  if (runs === 'last') return started === 0 ? [] : [started - 1];
  if (runs === 'all') return Array.from({ length: started }, (_, run) => run);
  const numbers = runs.map((run) => (run < 0 ? started + run : run));
  return [...new Set(numbers)].filter((run) => run >= 0 && run < started).sort((a, b) => a - b);
}

function matcherOf(tasks: readonly TaskLogs[], word: string): (name: string) => boolean {
  const names = [...new Set(tasks.flatMap(({ processes }) => processes.map(({ process }) => process)))];
  if (names.includes(word)) return (name) => name === word;
  const glob = /[*?]/.test(word) ? globOf(word) : undefined;
  if (glob !== undefined && names.some((name) => glob.test(name))) return (name) => glob.test(name);
  const where = tasks.length === 1 ? `task ${tasks[0]?.task_id}` : `these ${tasks.length} tasks`;
  const known = names.length === 0 ? 'no processes are known' : `its processes are ${listed(names)}`;
  throw new NotFoundError('process-not-found', `no process '${word}' in ${where}: ${known}`);
}

function globOf(word: string): RegExp {
  const source = word.replace(/[\\^$.*+?()[\]{}|/]/g, (char) => {
    if (char === '*') return '.*';
    return char === '?' ? '.' : `\\${char}`;
  });
  return new RegExp(`^${source}$`, 'su');
}

/** A run number is a mistake only if no process has it. */
function refuseUnknownRuns(chosen: readonly ChosenProcess[], runs: RunChoice): void {
  if (typeof runs === 'string' || chosen.some((each) => each.runs.length > 0)) return;
  const begun = chosen.filter(({ process }) => process.started > 0);
  if (begun.length === 0) return;
  if (runs.length === 1 && runs[0] === PREVIOUS && begun.every(({ process }) => process.started === 1)) {
    const names = begun.map(({ process }) => process.process).join(', ');
    throw new NotFoundError('run-not-found', `there is no run before the last one: ${names} ran once only`);
  }
  const have = begun.map(({ process }) => {
    const { started } = process;
    return `${process.process} has ${started === 1 ? 'run 0 only' : `runs 0 to ${started - 1}`}`;
  });
  throw new NotFoundError('run-not-found', `no run ${runs.join(', ')}: ${have.join(', ')}`);
}
