import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordedSample } from '../../src/top/recorded.js';

const SAMPLE = {
  time_ms: 5000,
  interval_ms: 2000.5,
  tasks: [
    {
      task_id: 't',
      root: '/r',
      launch_time_ms: 1000,
      cpu: 0.5,
      cpu_asked: 1,
      rss_bytes: 10,
      ram_asked_bytes: 20,
      disk_bytes: 30,
      processes: [{ process: 'p', run: 0, cpu: null, rss_bytes: 10, threads: 1, pids: 1 }],
    },
  ],
  problems: [],
};

test('what top --json prints is read', () => {
  expect(recordedSample(JSON.stringify(SAMPLE))).toEqual({
    timeMs: 5000,
    intervalMs: 2000.5,
    tasks: [
      {
        task_id: 't',
        root: '/r',
        launchTimeMs: 1000,
        asked: { cpu: 1, ram: 20, disk: undefined },
        cpu: 0.5,
        rssBytes: 10,
        diskBytes: 30,
        processes: [{ process: 'p', cpu: undefined, rssBytes: 10, diskBytes: undefined }],
      },
    ],
  });
});

test.each([
  '',
  '{',
  '[]',
  'null',
  '7',
  '{}',
  '{"time_ms":-1,"interval_ms":1,"tasks":[]}',
  '{"time_ms":1,"interval_ms":0,"tasks":[]}',
  '{"time_ms":1,"interval_ms":1e300,"tasks":[]}',
  '{"time_ms":1,"interval_ms":1,"tasks":{}}',
  '['.repeat(100_000),
])('no sample: %s', (line) => {
  expect(recordedSample(line)).toBeUndefined();
});

test('whatever a line says, its numbers can be true, and its names are text', () => {
  const number = fc.oneof(fc.double(), fc.constantFrom(null, '1', -1, 1e308, {}, []), fc.nat());
  const name = fc.oneof(fc.string(), fc.constantFrom(null, 1, '__proto__', 'x'.repeat(5000)));
  const use = { cpu: number, rss_bytes: number, disk_bytes: number };
  const process = fc.oneof(fc.record({ process: name, ...use }), fc.constantFrom(null, 1, 'x', []));
  const processes = fc.oneof(fc.array(process, { maxLength: 3 }), fc.constant(7));
  const task = fc.record({
    task_id: name,
    root: name,
    launch_time_ms: number,
    cpu_asked: number,
    ...use,
    processes,
  });
  const tasks = fc.array(fc.oneof(task, fc.constantFrom(null, [])), { maxLength: 3 });
  fc.assert(
    fc.property(fc.record({ time_ms: number, interval_ms: number, tasks }), (document) => {
      const sample = recordedSample(JSON.stringify(document));
      const check = (value: unknown) => {
        if (typeof value === 'number') expect(value >= 0 && value <= Number.MAX_SAFE_INTEGER + 1).toBe(true);
        else if (typeof value === 'object' && value !== null) Object.values(value).forEach(check);
        else if (value !== undefined) expect(typeof value).toBe('string');
      };
      check(sample);
    }),
    { numRuns: 300 },
  );
});
