import { asciiJson } from '../text/json.js';
import type { TaskReport } from './model.js';
import { endText, runsOf } from './runs.js';

export interface Trace {
  /** JSON of the Trace Event Format, which Perfetto and chrome://tracing open. */
  text: string;
  /** How many runs are not in it, because their times cannot be true. */
  leftOut: number;
}

const US_PER_MS = 1000;

/** The runs of a task on a time line, one row for each process. Pure. */
export function taskTrace({ task, made_ms, made_by }: TaskReport): Trace {
  const runs = runsOf(task, made_ms);
  const names = [...new Set(task.processes.map(({ process }) => process).concat(Object.keys(task.history)))];
  const rows = new Map(names.map((process, i) => [process, i + 1]));
  const pid = 1;
  const metadata = [
    { ph: 'M', name: 'process_name', pid, args: { name: task.task_id } },
    ...[...rows].flatMap(([process, tid]) => [
      { ph: 'M', name: 'thread_name', pid, tid, args: { name: process } },
      { ph: 'M', name: 'thread_sort_index', pid, tid, args: { sort_index: tid } },
    ]),
  ];
  const events = runs.flatMap((run) => {
    const { process, run: number, startMs, endMs = 0 } = run;
    if (startMs === undefined) return [];
    return {
      ph: 'X',
      name: `${process} ${number}: ${endText(run)}`,
      cat: run.state,
      pid,
      tid: rows.get(process),
      ts: Math.round(startMs * US_PER_MS),
      dur: Math.round((endMs - startMs) * US_PER_MS),
      args: { run: number, state: run.state, return_code: run.return_code },
    };
  });
  const leftOut = runs.filter(({ isAbsurd }) => isAbsurd).length;
  const otherData = {
    made_by,
    task_id: task.task_id,
    root: task.root,
    state: task.state,
    runs_left_out: leftOut,
  };
  const lines = [...metadata, ...events].map((event) => asciiJson(event)).join(',\n');
  const text = `{"displayTimeUnit":"ms","otherData":${asciiJson(otherData)},"traceEvents":[\n${lines}\n]}\n`;
  return { text, leftOut };
}
