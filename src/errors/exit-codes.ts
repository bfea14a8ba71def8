/** Exit codes, a contract with scripts: never renumbered. In the order in which help lists them. */
export const EXIT = {
  ok: 0,
  no: 1,
  usage: 2,
  killed: 3,
  lost: 4,
  partial: 5,
  bug: 10,
  timeout: 124,
  interrupted: 130,
  terminated: 143,
} as const;

/**
 * How a coordinator ends; only its runner reads it. `cannotStart`, `cannotRecord`, `shortage`, `cannotLock`: the reason
 * is on its descriptor `FD.report`. `shortage`: the process could not be started by no fault of its own. `unrecorded`: its
 * end could not be recorded. `locked`: another one holds the lock of its stream. `usage`: the one in C was started without
 * a stream.
 */
export const COORDINATOR_EXIT = {
  ok: 0,
  usage: 64,
  unrecorded: 70,
  cannotStart: 71,
  cannotRecord: 72,
  shortage: 73,
  cannotLock: 74,
  locked: 75,
} as const;

/** How `thermos-runner` ends, as the original's; an executor distinguishes FAILED from LOST by it. */
export const RUNNER_EXIT = {
  over: 0,
  internal: 101,
  invalidTask: 102,
  unknown: 103,
  unknownUser: 104,
} as const;

/** Those codes and what they mean. */
export const RUNNER_EXIT_ROWS: [code: string, meaning: string][] = [
  [String(RUNNER_EXIT.over), 'The task is over, however it ended; it may have been before.'],
  [String(EXIT.usage), 'The command line is wrong; the executor reports TASK_LOST.'],
  [
    String(RUNNER_EXIT.internal),
    'A port is not bound, or the task cannot be run on this host; the executor reports TASK_LOST.',
  ],
  [
    String(RUNNER_EXIT.invalidTask),
    'The task is not valid, or its id is that of another; the executor reports TASK_FAILED.',
  ],
  [
    String(RUNNER_EXIT.unknown),
    'The task has another runner, or there is a bug in thermos; the executor reports TASK_LOST.',
  ],
  [String(RUNNER_EXIT.unknownUser), 'There is no such user on this host; the executor reports TASK_FAILED.'],
];

/** How `exec` ends if there is no exit code of a command to pass on, as env(1) and nohup(1). */
export const EXEC_EXIT = { failed: 125, notExecutable: 126, notFound: 127 } as const;

/** Those codes and what they mean. */
export const EXEC_EXIT_ROWS: [code: string, meaning: string][] = [
  [
    String(EXEC_EXIT.failed),
    'The command could not be started, for example because the process has just ended.',
  ],
  [String(EXEC_EXIT.notExecutable), 'The command cannot be executed.'],
  [String(EXEC_EXIT.notFound), 'There is no such command.'],
  ['128+N', 'Signal N ended the command.'],
];

/** How a shell reports a program that a signal ended. Pure. */
export function exitBySignal(signal: number): number {
  return 128 + signal;
}

export type ExitName = keyof typeof EXIT;
export type ExitCode = (typeof EXIT)[ExitName];

/** Exit codes and what they mean. */
export type ExitMeanings = Readonly<Partial<Record<ExitName, string>>>;

/** Their meanings in the whole program; a command may be more specific. */
export const EXIT_MEANINGS = {
  ok: 'Done.',
  no: 'The answer is no: nothing matched, not found, the task ended FAILED.',
  usage: 'Usage, invalid config, or a confirmation is needed and there is no terminal.',
  killed: 'The task ended KILLED.',
  lost: 'The task ended LOST.',
  partial: 'Done in part: something could not be read, signalled or removed.',
  bug: 'A bug in thermos.',
  timeout: 'Timeout.',
  interrupted: 'Interrupted (SIGINT).',
  terminated: 'Terminated (SIGTERM).',
} as const satisfies Record<ExitName, string>;
