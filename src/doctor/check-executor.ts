import { FIRST_OUTPUTS, type MesosIds, TRACES_OF_A_TASK, taskIdOfExecutor } from '../layout/mesos.js';
import { timestamp } from '../text/age.js';
import { counted } from '../text/count.js';
import { executorFailureIn } from './agent-log.js';
import { explain, startFailureIn } from './executor-output.js';
import { type FileTail, linesOf } from './file-tail.js';
import type { FindingEvidence, Symptom } from './finding.js';

/** A run directory of an executor that holds no trace of a task. */
export interface EmptyRun {
  runDir: string;
  mesos: MesosIds;
  /** Names in the directory, at most a few thousand. */
  entries: readonly string[];
  /** The executor's output, stderr first. */
  outputs: readonly FileTail[];
  /** Of the directory. */
  mtimeMs: number;
  /** Whether the agent has seen its end; undefined if that is unknown. */
  over: boolean | undefined;
  docker: boolean;
}

/** It takes some time to fetch and start an executor before there is a checkpoint. */
const STARTING_MS = 10 * 60 * 1000;

/** Whether this is a run of Thermos; executors of other frameworks are not checked. */
export function isThermosRun({ mesos, entries }: Pick<EmptyRun, 'mesos' | 'entries'>): boolean {
  return (
    taskIdOfExecutor(mesos.executor_id) !== undefined ||
    entries.some((name) => name.startsWith('thermos_executor') || name.startsWith('thermos_runner'))
  );
}

/**
 * Why there is no task in a run directory: the executor never started, and its stderr or the agent's log may say why;
 * or the agent failed to remove the whole directory. An executor that may still be starting is not reported.
 */
export function checkEmptyRun(run: EmptyRun, now: number, agentLogs: readonly FileTail[] = []): Symptom[] {
  if (!isThermosRun(run)) return [];
  const task_id = taskIdOfExecutor(run.mesos.executor_id);
  const begun = run.entries.some((name) => TRACES_OF_A_TASK.includes(name));
  for (const output of run.outputs) {
    const failure = startFailureIn(linesOf(output));
    if (failure === undefined) continue;
    const { because, advice } = explain(failure, run.docker);
    const { text, ...place } = failure.line;
    return [
      {
        code: 'executor-never-started',
        severity: 'error',
        cause: `${failure.code} ${failure.subject ?? ''} ${run.docker}`,
        what: (count) => `${neverStarted(count)}, because ${because}`,
        evidence: [{ path: output.path, ...place, text: text.trim() }],
        advice,
        task_id,
      },
    ];
  }
  const fromAgent = agentEvidence(run, agentLogs);
  if (fromAgent !== undefined && !begun) {
    return [
      {
        code: 'executor-never-started',
        severity: 'error',
        cause: 'agent',
        what: (count) => `${neverStarted(count)}; the agent's log says what happened`,
        evidence: [fromAgent],
        advice: ["search the agent's log for the id of the container: the lines before say more"],
        task_id,
      },
    ];
  }
  const quiet = now - Math.max(run.mtimeMs, ...run.outputs.map(({ mtimeMs }) => mtimeMs)) > STARTING_MS;
  if (!quiet || run.over === false) return [];
  const hasOutput = FIRST_OUTPUTS.some((name) => run.entries.includes(name));
  if (begun || !hasOutput) return [partlyRemoved(run, task_id)];
  return [
    {
      code: 'executor-never-started',
      severity: 'warning',
      cause: 'unknown',
      what: (count) => `${neverStarted(count)}, for a reason that the output does not say`,
      evidence: [lastOutput(run)],
      advice: explain({ code: 'unknown' }, run.docker).advice,
      task_id,
    },
  ];
}

function neverStarted(count: number): string {
  return `${counted(count, 'executor')} never started ${count === 1 ? 'its task' : 'their tasks'}`;
}

function agentEvidence({ mesos }: EmptyRun, logs: readonly FileTail[]): FindingEvidence | undefined {
  for (const log of logs) {
    const line = executorFailureIn(log, mesos);
    if (line !== undefined) return { path: log.path, ...line, text: line.text.trim() };
  }
  return undefined;
}

function lastOutput({ runDir, outputs, mtimeMs }: EmptyRun): FindingEvidence {
  for (const output of outputs) {
    const last = linesOf(output).findLast(({ text }) => text.trim() !== '');
    if (last !== undefined) return { path: output.path, ...last, text: last.text.trim() };
  }
  const longLine = outputs.find(({ text }) => text !== '');
  if (longLine !== undefined) return { path: longLine.path, text: 'it ends with part of one long line' };
  return { path: runDir, text: `nothing was written; the directory last changed at ${timestamp(mtimeMs)}` };
}

function partlyRemoved({ runDir, entries, mtimeMs }: EmptyRun, task_id: string | undefined): Symptom {
  const left = entries.length === 0 ? 'nothing' : entries.slice(0, 5).join(', ');
  return {
    code: 'sandbox-partly-removed',
    severity: 'warning',
    what: (count) =>
      `${counted(count, 'Thermos sandbox', 'Thermos sandboxes')} without checkpoints: only partly removed, or the executor died early`,
    evidence: [{ path: runDir, text: `contains ${left}; last changed at ${timestamp(mtimeMs)}` }],
    advice: [
      "search the agent's log for 'Failed to delete': a busy mount or an immutable file may hold the rest",
      'the agent tries again when it is restarted',
    ],
    task_id,
  };
}
