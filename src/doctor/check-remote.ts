import { isTerminalTaskState } from '../checkpoint/records.js';
import { hostCommand } from '../discovery/advised-command.js';
import type { Problem } from '../errors/problem.js';
import type { TaskView } from '../task/view.js';
import { EXECUTOR_GONE } from '../task/why.js';
import { duration, timestamp } from '../text/age.js';
import { counted } from '../text/count.js';
import { checkFiles, streamOf } from './check-files.js';
import type { Symptom } from './finding.js';

/** What agents do not do, from the problems with which they were asked; those of tasks are in their views. Pure. */
export function* checkAgents(problems: readonly Problem[]): Generator<Symptom> {
  for (const { code, severity, message, hint, path, agent } of problems) {
    const what = AGENTS[code];
    yield {
      code,
      severity,
      // Those that nothing is known of are one finding each.
      cause: what === undefined ? message : '',
      what: (count) => what?.(counted(count, 'agent')) ?? message,
      evidence: [{ path, agent, text: message }],
      advice: hint === undefined ? [] : [hint],
    };
  }
}

const AGENTS: Readonly<Partial<Record<Problem['code'], (agents: string) => string>>> = {
  'agent-unreachable': (agents) => `${agents} cannot be reached: what runs there is not known`,
  'agent-unauthorized': (agents) => `${agents} refused to answer`,
  'agent-recovering': (agents) => `${agents} just started, not yet recovered`,
  'agent-clock-skew': (agents) => `${agents} with a clock that differs from that of this host`,
  'sandbox-unreadable': (agents) => `${agents} with sandboxes that you may not see`,
};

/** What is wrong with a task on an agent, as far as that can be seen from there. Pure. */
export function* checkRemoteTask(view: TaskView, now: number): Generator<Symptom> {
  const agent = view.root.agent?.url;
  const there = now + (view.root.ahead_ms ?? 0);
  for (const symptom of symptomsOf(view, there)) {
    yield { ...symptom, evidence: symptom.evidence.map((each) => ({ ...each, agent })) };
  }
}

function* symptomsOf(view: TaskView, now: number): Generator<Symptom> {
  if (view.verdict === 'runner-gone') yield executorGone(view, now);
  yield* checkFiles(view, now);
}

function executorGone(view: TaskView, now: number): Symptom {
  const { task_id, state, state_timestamp_ms, silent_since_ms, root, found } = view;
  const silent =
    silent_since_ms === undefined ? '' : `, last written ${duration(Math.max(0, now - silent_since_ms))} ago`;
  const collect = {
    text: 'its host can mark it LOST in its own stream, and collect it',
    names: [task_id],
    command: (ids: readonly string[]) => hostCommand(root, ['gc', '--include-mesos'], ids),
  };
  if (isTerminalTaskState(state)) {
    return {
      code: 'task-not-moved',
      severity: 'warning',
      what: (count) =>
        `${counted(count, 'task')} ended, but the executor was gone before the task file was in tasks/finished`,
      evidence: [{ path: found.task_file ?? streamOf(view), text: `the stream says ${state}${silent}` }],
      advice: [collect],
      task_id,
    };
  }
  const since = timestamp(state_timestamp_ms);
  return {
    code: 'runner-dead',
    severity: 'error',
    what: (count) => `${counted(count, 'task')} recorded as running, but the executor is gone`,
    evidence: [{ path: streamOf(view), text: `${state} since ${since}; ${EXECUTOR_GONE}${silent}` }],
    advice: [
      'the agent reports it LOST to the scheduler: check that the scheduler has started it again (aurora job status)',
      collect,
    ],
    task_id,
  };
}
