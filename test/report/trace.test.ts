import { describe, expect, it } from 'vitest';
import { taskTrace } from '../../src/report/trace.js';
import { failedTask, report } from './reports.js';

describe('the trace of a task', () => {
  it('has a row for each process, and an event for each run, in microseconds', () => {
    const { text, leftOut } = taskTrace(report());
    const { traceEvents, ...rest } = JSON.parse(text);
    expect(leftOut).toBe(0);
    expect(rest).toEqual({
      displayTimeUnit: 'ms',
      otherData: {
        made_by: 'thermos 1.0.0',
        task_id: 'www-data-prod-web-0',
        root: '/var/run/thermos',
        state: 'FAILED',
        runs_left_out: 0,
      },
    });
    expect(traceEvents.slice(0, 3)).toEqual([
      { ph: 'M', name: 'process_name', pid: 1, args: { name: 'www-data-prod-web-0' } },
      { ph: 'M', name: 'thread_name', pid: 1, tid: 1, args: { name: 'fetch' } },
      { ph: 'M', name: 'thread_sort_index', pid: 1, tid: 1, args: { sort_index: 1 } },
    ]);
    const runs = traceEvents.filter(({ ph }: { ph: string }) => ph === 'X');
    expect(runs).toHaveLength(3);
    expect(runs[1]).toEqual({
      ph: 'X',
      name: 'web 0: FAILED (2)',
      cat: 'FAILED',
      pid: 1,
      tid: 2,
      ts: 1_763_750_010_000_000,
      dur: 5_500_000,
      args: { run: 0, state: 'FAILED', return_code: 2 },
    });
  });

  it('leaves out runs whose times cannot be true, and counts them', () => {
    const history = {
      'we"b\u2028<': [
        { state: 'FAILED' as const, start_time: -1, stop_time: 1 },
        { state: 'FAILED' as const, start_time: 1_763_750_010, stop_time: 1_763_750_000 },
        { state: 'WAITING' as const },
        { state: 'SUCCESS' as const, start_time: 1_763_750_010, stop_time: 1_763_750_011 },
      ],
    };
    const left_out = { runs: { 'we"b\u2028<': { at: 1, count: 90 } } };
    const { text, leftOut } = taskTrace(report({ task: failedTask({ history, left_out }) }));
    expect(leftOut).toBe(2);
    const runs = JSON.parse(text).traceEvents.filter(({ ph }: { ph: string }) => ph === 'X');
    expect(runs.map(({ name }: { name: string }) => name)).toEqual(['we"b\u2028< 93: SUCCESS']);
  });
});
