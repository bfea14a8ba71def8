import { isTerminalTaskState } from '../checkpoint/records.js';
import type { TaskView } from '../task/view.js';
import { counted } from '../text/count.js';
import type { Symptom } from './finding.js';

/** That a task ended because its container had no memory left, which its own stream does not tell. */
export interface MemoryEnd {
  /** What Mesos says of it. */
  readonly text: string;
  /** When, in milliseconds since the epoch by our clock; undefined if that is not told. */
  readonly timeMs?: number;
}

/** What is kept of a task until it is known how it ended. */
export type EndedTask = Pick<TaskView, 'task_id' | 'root' | 'state_timestamp_ms'>;

/** What ended earlier, somebody knows. */
const NEWS_MS = 86_400_000;

/**
 * Whether somebody else than its runner may have ended it a short time ago: then its agent knows more than its stream. If
 * the runner is gone, nobody has recorded when that was. Pure.
 */
export function mayHaveBeenEnded(view: TaskView, now: number): boolean {
  const { state, verdict } = view;
  if (verdict === 'runner-gone') return true;
  return isTerminalTaskState(state) && state !== 'SUCCESS' && isNews(recordedMs(view), now);
}

/** `now`: milliseconds since the epoch. Pure. */
export function* checkEnding(
  task: EndedTask,
  { text, timeMs = recordedMs(task) }: MemoryEnd,
  now: number,
): Generator<Symptom> {
  if (!isNews(timeMs, now)) return;
  yield {
    code: 'oom-killed',
    severity: 'warning',
    what: (count) => `${counted(count, 'task')} ended because there was no memory left in the container`,
    evidence: [{ agent: task.root.agent?.url, text }],
    advice: ['ask for more ram in the config'],
    task_id: task.task_id,
  };
}

/** By our clock. */
function recordedMs({ state_timestamp_ms, root }: EndedTask): number {
  return Number(state_timestamp_ms ?? 0) - (root.ahead_ms ?? 0);
}

function isNews(timeMs: number, now: number): boolean {
  return now - timeMs <= NEWS_MS;
}

const MOST_TEXT = 120;

/**
 * What a scheduler or an agent says of a container that reached its limit of memory; undefined of another. The first
 * words are those of Mesos, the others those of Aurora: older schedulers have them instead (UserTaskLauncher), newer ones
 * if Mesos says nothing (TaskStatusHandlerImpl). Pure.
 */
export function outOfMemoryIn(message: string): string | undefined {
  const begin = message.search(/^(?:Memory limit exceeded\b|Task used more memory than requested\b)/m);
  if (begin === -1) return undefined;
  const [said = ''] = message.slice(begin, begin + MOST_TEXT).split(/[\r\n]|MEMORY STATISTICS/);
  return said.trimEnd();
}

/** The reason that Mesos gives for such an end. */
export const OUT_OF_MEMORY = 'REASON_CONTAINER_LIMITATION_MEMORY';
