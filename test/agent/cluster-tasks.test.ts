import { expect, test } from 'vitest';
import type { MasterTask } from '../../src/agent/answers.js';
import { clusterTasks } from '../../src/agent/cluster-tasks.js';
import { AgentFailure } from '../../src/agent/failure.js';
import type { ScheduledTask } from '../../src/agent/scheduler.js';
import type { Problem } from '../../src/errors/problem.js';

const SCHEDULED: ScheduledTask = {
  ...{ id: 'a', status: 'RUNNING', instance: 0, agentId: 'S0', host: 'h', message: 'm', sinceMs: 7 },
};
const KNOWN: MasterTask = {
  id: 'a',
  agentId: 'S0',
  executorId: 'thermos-a',
  state: 'TASK_RUNNING',
  sinceMs: 8,
};
const FOREIGN: MasterTask = { id: 'app.1', agentId: 'S0', executorId: '', state: 'TASK_RUNNING' };

const knows = { tasks: async () => [SCHEDULED] };
const fails = { tasks: async () => Promise.reject(new AgentFailure('recovering', 'no scheduler leads')) };
const fleetOf = (problems: readonly Problem[] = []) => ({
  tasks: async () => ({ tasks: [KNOWN, FOREIGN], problems }),
});

test('the schedulers are asked first, if all of them are known', async () => {
  expect(await clusterTasks({ schedulers: new Map([['west', knows]]), fleet: fleetOf() })).toEqual({
    source: 'scheduler',
    tasks: [{ id: 'a', agentId: 'S0', status: 'RUNNING', message: 'm', sinceMs: 7 }],
    problems: [],
  });
});

test('the masters are asked if a scheduler does not answer, for the tasks of Thermos', async () => {
  const schedulers = new Map<string, typeof knows | typeof fails>([
    ['west', knows],
    ['east', fails],
  ]);
  expect(await clusterTasks({ schedulers, fleet: fleetOf() })).toMatchObject({
    source: 'master',
    tasks: [{ id: 'a', status: 'TASK_RUNNING', sinceMs: 8 }],
    problems: [
      {
        ...{ code: 'scheduler-unreachable', severity: 'warning' },
        message: 'cannot ask the scheduler of east: no scheduler leads',
      },
    ],
  });
});

test('a master that does not answer leaves nobody to ask, as does naming agents alone', async () => {
  const problem: Problem = { code: 'master-unauthorized', severity: 'error', message: 'no' };
  expect(await clusterTasks({ schedulers: new Map(), fleet: fleetOf([problem]) })).toEqual({
    tasks: [],
    problems: [{ ...problem, severity: 'warning' }],
  });
  expect(await clusterTasks({ schedulers: new Map() })).toEqual({ tasks: [], problems: [] });
});

test('one task is asked about by its id', async () => {
  const asked: unknown[] = [];
  const tasks = async (id?: string) => {
    asked.push(id);
    return [];
  };
  await clusterTasks({ schedulers: new Map([['west', { tasks }]]), taskId: 'a' });
  const fleet = { tasks: async (id?: string) => ({ tasks: await tasks(id), problems: [] }) };
  await clusterTasks({ schedulers: new Map(), fleet, taskId: 'b' });
  expect(asked).toEqual(['a', 'b']);
});

test('a fault of the program is not taken for an answer', async () => {
  const breaks = { tasks: async () => Promise.reject(new TypeError('x')) };
  await expect(clusterTasks({ schedulers: new Map([['west', breaks]]) })).rejects.toThrow(TypeError);
});
