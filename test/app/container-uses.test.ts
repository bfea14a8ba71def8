import { expect, test } from 'vitest';
import { containerTask, observeContainers } from '../../src/app/container-uses.js';
import { checkUsage } from '../../src/doctor/check-usage.js';
import type { ContainerReading } from '../../src/top/containers.js';
import { taskView } from '../views/task-views.js';

const AGENT = { id: 'S0', url: 'http://agent-1:5051', hostname: 'agent-1' };
const LAUNCHED = 1_700_000_000_000;

function viewOf(task_id: string) {
  const view = taskView({ task_id, launch_time_ms: LAUNCHED });
  return { ...view, root: { ...view.root, agent: AGENT }, found: { ...view.found, checkpoint_dir: task_id } };
}

/** After so many seconds. */
function reading(seconds: number, given: Partial<ContainerReading>): ContainerReading {
  const ids = { frameworkId: 'F', executorId: 'e', limits: { cpu: 1, memoryBytes: 1000, diskBytes: 1000 } };
  return { ...ids, timestamp: LAUNCHED / 1000 + seconds, ...given };
}

/** What doctor says of a task with these readings, a second apart. */
async function codes(first: Partial<ContainerReading>, second: Partial<ContainerReading>): Promise<string[]> {
  const looks = [reading(100, first), reading(101, second)];
  const waited: number[] = [];
  const { observed } = await observeContainers([containerTask(viewOf('a'))], {
    uses: async () => ({ readings: new Map([['a', looks.shift() as ContainerReading]]), problems: [] }),
    wait: async (ms) => void waited.push(ms),
  });
  expect(waited).toEqual([1000]);
  return observed.flatMap((each) => [...checkUsage(each)].map(({ code }) => code));
}

test('a container that is held back over a tenth of the time is found, since it was made or just now', async () => {
  expect(await codes({}, { periods: 100, throttledPeriods: 11 })).toEqual(['cpu-throttled']);
  expect(await codes({}, { periods: 100, throttledPeriods: 10 })).toEqual([]);
  expect(await codes({}, { periods: 0, throttledPeriods: 0 })).toEqual([]);
});

test('processor time is compared with what the container may have, now and on average', async () => {
  expect(await codes({ cpuSeconds: 200 }, { cpuSeconds: 202 })).toEqual(['cpu-exceeded']);
  expect(await codes({ cpuSeconds: 20 }, { cpuSeconds: 22 })).toEqual([]);
  expect(await codes({ cpuSeconds: 200 }, { cpuSeconds: 200 })).toEqual([]);
});

test('memory and disk are compared with those of the container, too', async () => {
  expect(await codes({}, { rssBytes: 1001, diskBytes: 1001 })).toEqual(['ram-exceeded', 'disk-exceeded']);
  expect(await codes({}, { rssBytes: 1000, diskBytes: 1000 })).toEqual([]);
});

test('of a task that its agent does not measure, nothing is said; without tasks, nobody is asked', async () => {
  const never = async () => Promise.reject(new Error('nobody asks'));
  expect(await observeContainers([], { uses: never, wait: never })).toEqual({ observed: [], problems: [] });
  const ports = { uses: async () => ({ readings: new Map(), problems: [] }), wait: async () => {} };
  expect((await observeContainers([containerTask(viewOf('a'))], ports)).observed).toEqual([]);
});

test('top of the agent is advised, which knows no processes', async () => {
  const ports = {
    uses: async () => ({ readings: new Map([['a', reading(1, { rssBytes: 2000 })]]), problems: [] }),
    wait: async () => {},
  };
  const { observed } = await observeContainers([containerTask(viewOf('a'))], ports);
  const [step] = [...checkUsage(observed[0] as (typeof observed)[number])][0]?.advice ?? [];
  expect(typeof step === 'object' && step.command(['a'])).toBe('thermos top --agent http://agent-1:5051 a');
});
