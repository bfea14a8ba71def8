import type { FoundTask } from '../discovery/found.js';
import { type NotFoundError, SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { ProcessRow } from '../host/process-table.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import type { Processes } from '../lifecycle/processes.js';
import type { Awaitable } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import type { Confirmation } from './confirmation.js';
import { findProcess, notRunning, openRun, type ProcessWords } from './one-process.js';

export interface SignalOptions extends ProcessWords {
  /** Its number. */
  readonly signal: number;
  /** For questions. */
  readonly signalWord: string;
  /** To all processes of the run, not only to its main process. */
  readonly all: boolean;
}

export interface SignalPorts {
  readonly confirmation: Confirmation<readonly TaskView[]>;
  look(found: FoundTask): Awaitable<TaskView>;
  readonly processes?: Processes;
}

export interface Signalled {
  readonly task_id: string;
  readonly root: string;
  readonly process: string;
  readonly run: number;
  /** Of the main process. */
  readonly pid: number;
  /** Pids. */
  readonly signalled: readonly number[];
  readonly problems: readonly Problem[];
}

/**
 * Sends a signal to the main process of a run, or to all of its processes but the coordinator. Rejects as `findProcess` and
 * `openRun`, and SystemError `signal-refused` or `signal-failed` if the main process cannot be sent it.
 */
export async function signalProcess(options: SignalOptions, ports: SignalPorts): Promise<Signalled> {
  const { signal, signalWord, all } = options;
  const question = (taskId: string) => `Send ${signalWord} to process ${options.process} of ${taskId}?`;
  const found = await findProcess(options, ports.look, question, ports.confirmation);
  const { task, run, index } = openRun(found, ports.processes);
  const problems: Problem[] = [...found.problems, ...task.problems];
  const signalled: number[] = [];
  try {
    const { command, others, unsure } = task.processesOf(run, index);
    if (command === undefined) {
      const isGone = (ports.processes ?? LOCAL_PROCESSES).look(run.pid)?.isDead !== false;
      throw isGone ? hasEnded(options.process, run.pid) : unknownCommand(run.pid);
    }
    const send = (row: ProcessRow) => {
      const sent = task.signal(row, signal);
      if (sent === 'sent') signalled.push(row.pid);
      return sent;
    };
    const sent = send(command);
    if (sent === 'gone') throw hasEnded(options.process, run.pid);
    if (sent !== 'sent') throw asError(sent);
    if (all) {
      for (const row of others) {
        const result = send(row);
        if (typeof result === 'object') problems.push(result);
      }
      for (const { pid } of unsure) problems.push(leftAlone(pid, options.process));
    }
    const { task_id, root } = found.view;
    return {
      task_id,
      root: root.path,
      process: options.process,
      run: index,
      pid: run.pid,
      signalled,
      problems,
    };
  } finally {
    task.close();
  }
}

function hasEnded(process: string, pid: number): NotFoundError {
  return notRunning(`process ${process} is not running: its main process (pid ${pid}) is gone`);
}

/** The error for a recorded pid that is not certainly the command of the run. */
export function unknownCommand(pid: number): SystemError {
  const message = `process ${pid} was left alone: it may not be the one that the stream records`;
  const hint = 'its start, its user or its pid namespace differs, or this command runs below it';
  return new SystemError('signal-refused', message, hint);
}

export function asError({ code, message, hint }: Problem): SystemError {
  const sudo = code === 'signal-failed' && process.geteuid?.() !== 0 ? 'run it again with sudo' : undefined;
  return new SystemError(code, message, hint ?? sudo);
}

/** The problem of a daemon that may be of a process or of another one. */
export function leftAlone(pid: number, process: string): Problem {
  const message = `process ${pid} was left alone: it is a daemon of the task, but nothing shows that ${process} started it`;
  return { code: 'signal-refused', severity: 'warning', message, process };
}
