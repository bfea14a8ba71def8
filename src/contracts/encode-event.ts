import type { TaskTransition } from '../task/transition-watch.js';
import type { EventDocument } from './events.js';

/** A line of `events --json`. */
export function encodeEvent(transition: TaskTransition): EventDocument {
  const { time_ms, task_id, root, process, run, was, state, return_code, pid } = transition;
  return {
    time_ms,
    task_id,
    root: root.path,
    type: process === undefined ? 'task' : 'process',
    state,
    was,
    process,
    run,
    return_code,
    pid,
    agent: root.agent,
  };
}
