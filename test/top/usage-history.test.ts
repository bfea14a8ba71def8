import { expect, test } from 'vitest';
import type { RecordedSample, TaskOfSample } from '../../src/top/recorded.js';
import { UsageHistory } from '../../src/top/usage-history.js';

const NOW = 10_000_000;
const TASK = { task_id: 't', root: '/r', launchTimeMs: 1000 };

const task = (changes: Partial<TaskOfSample> = {}): TaskOfSample => ({
  ...TASK,
  asked: {},
  processes: [],
  ...changes,
});
const sample = (timeMs: number, intervalMs: number, ...tasks: TaskOfSample[]): RecordedSample => ({
  timeMs,
  intervalMs,
  tasks,
});

function historyOf(...samples: RecordedSample[]): UsageHistory {
  const history = new UsageHistory();
  for (const each of samples) history.add(each, NOW);
  return history;
}

test('the mean is over the time that is known, and the most is that of one sample', () => {
  const history = historyOf(
    sample(2000, 1000, task({ cpu: 1, rssBytes: 5, processes: [{ process: 'p', cpu: 1 }] })),
    sample(5000, 3000, task({ cpu: 0.2, rssBytes: 9, diskBytes: 7, asked: { cpu: 2 } })),
    sample(9000, 4000, task({ processes: [{ process: 'p', cpu: 0 }] })),
  );
  const found = history.of(TASK);
  expect(found?.cpuMean).toBeCloseTo(0.4);
  expect(found).toMatchObject({
    samples: 3,
    fromMs: 1000,
    toMs: 9000,
    cpuMax: 1,
    rssMaxBytes: 9,
    diskMaxBytes: 7,
  });
  expect(found?.processes).toMatchObject([{ process: 'p', samples: 2, cpuMean: 0.2, cpuMax: 1 }]);
});

test('another task of that id, root or launch is another one', () => {
  const history = historyOf(
    sample(
      2000,
      1000,
      task({ cpu: 1 }),
      task({ root: '/other', cpu: 2 }),
      task({ launchTimeMs: 1500, cpu: 3 }),
    ),
  );
  expect(history.of(TASK)?.cpuMax).toBe(1);
  expect(history.of({ ...TASK, root: '/other' })?.cpuMax).toBe(2);
  expect(history.of({ ...TASK, launchTimeMs: undefined })).toBeUndefined();
});

test('what is of the future, or of before the launch, was not seen', () => {
  const history = new UsageHistory();
  expect(history.add(sample(NOW + 1e6, 1000, task({ cpu: 1 })), NOW)).toBe(false);
  expect(history.add(sample(2000, 1000, task({ launchTimeMs: 5e6, cpu: 1 })), NOW)).toBe(true);
  expect([history.of(TASK), history.of({ ...TASK, launchTimeMs: 5e6 })]).toEqual([undefined, undefined]);
});

test('of many processes and tasks, a bounded number is kept', () => {
  const processes = Array.from({ length: 150 }, (_, i) => ({ process: `p${i}`, cpu: 1 }));
  const history = historyOf(sample(2000, 1000, task({ processes })));
  expect(history.of(TASK)?.processes).toHaveLength(100);
  expect(history.of(TASK)?.left).toBe(50);
  expect(history.isFull).toBe(false);
  const tasks = Array.from({ length: 25_000 }, (_, i) => task({ task_id: `t${i}` }));
  history.add(sample(3000, 1000, ...tasks), NOW);
  expect(history.isFull).toBe(true);
  expect(history.of({ ...TASK, task_id: 't24999' })).toBeUndefined();
  // Those that are known go on.
  history.add(sample(4000, 1000, task({ cpu: 5 })), NOW);
  expect(history.of(TASK)?.cpuMax).toBe(5);
});
