import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MOST } from '../../src/agent/answers.js';
import { AgentClient, httpClient } from '../../src/agent/client.js';
import { parseStatistics } from '../../src/agent/statistics.js';
import { readingsOf } from '../../src/agent/uses.js';
import type { ContainerReading } from '../../src/top/containers.js';
import { taskView } from '../views/task-views.js';
import { startAgent } from './serve.js';

describe('what an agent says that its containers use', () => {
  test('is taken field by field, of a recorded answer', () => {
    const row = {
      executor_id: 'thermos-t',
      executor_name: 'AuroraExecutor',
      framework_id: 'F',
      source: 'www-data.prod.web.0',
      statistics: {
        ...{ cpus_limit: 0.1, cpus_system_time_secs: 55.99, cpus_user_time_secs: 26.25 },
        ...{ mem_limit_bytes: 16777216, mem_rss_bytes: 10964992, timestamp: 1403819237.307 },
      },
    };
    expect(parseStatistics([row])?.containers).toEqual([
      {
        ...{ frameworkId: 'F', executorId: 'thermos-t', timestamp: 1403819237.307 },
        cpuSeconds: expect.closeTo(82.24),
        rssBytes: 10964992,
        limits: { cpu: 0.1, memoryBytes: 16777216 },
      },
    ]);
  });

  test('is nothing where it is no number, negative or endless', () => {
    const odd = [null, '7', -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY, [], {}, true];
    for (const value of odd) {
      const names = ['timestamp', 'cpus_user_time_secs', 'mem_rss_bytes', 'threads', 'cpus_limit'];
      const statistics = Object.fromEntries(names.map((name) => [name, value]));
      const [reading] = parseStatistics([{ executor_id: 'e', statistics }])?.containers ?? [];
      expect(JSON.parse(JSON.stringify(reading))).toEqual({ frameworkId: '', executorId: 'e', limits: {} });
    }
  });

  test('is bounded, and says how much is left out', () => {
    const many = Array.from({ length: 100_000 }, (_, i) => ({ executor_id: `e${i}`, statistics: {} }));
    const { containers, leftOut } = parseStatistics(many) ?? {};
    expect([containers?.length, leftOut]).toEqual([MOST.executors, 100_000 - MOST.executors]);
  });

  test('never fails, whatever it is', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseStatistics(value)));
    const row = fc.dictionary(
      fc.constantFrom('executor_id', 'framework_id', 'container_id', 'statistics'),
      fc.anything(),
    );
    fc.assert(fc.property(fc.array(row), (rows) => Array.isArray(parseStatistics(rows)?.containers)));
    expect(parseStatistics({})).toBeUndefined();
  });
});

describe('the container of a task', () => {
  const mesos = { agent_id: 'S0', framework_id: 'F', executor_id: 'thermos-a', container_id: 'c1' };
  const view = taskView({ mesos });
  const reading: ContainerReading = { frameworkId: 'F', executorId: 'thermos-a', limits: {} };
  const keysOf = (...containers: ContainerReading[]) => [
    ...readingsOf([view], { containers, leftOut: 0 }).keys(),
  ];

  test('is found by its id, or where an agent has none, by its executor', () => {
    expect(keysOf({ ...reading, containerId: 'c1' })).toEqual([view.found.checkpoint_dir]);
    expect(keysOf(reading)).toEqual([view.found.checkpoint_dir]);
    expect(keysOf({ ...reading, containerId: 'c2' })).toEqual([]);
    expect(keysOf({ ...reading, executorId: 'thermos-b' })).toEqual([]);
  });
});

describe.each([
  ['0.20.0', ['/monitor/statistics']],
  ['0.28.0', ['/monitor/statistics']],
  ['1.0.0', ['/containers']],
  ['1.11.0', ['/containers']],
])('an agent of Mesos %s', (version, endpoints) => {
  test('is asked by the calls that it has', async () => {
    const { agent, url, close } = await startAgent({ id: 'S0', version });
    agent.launch({
      ...{ frameworkId: 'F', executorId: 'thermos-a', containerId: 'c1', isRunning: true },
      ...{ path: tmpdir(), directory: '/var/lib/mesos/slaves/S0/frameworks/F/executors/thermos-a/runs/c1' },
    });
    const http = httpClient({});
    try {
      const client = new AgentClient(url, http, Date.now);
      await client.state();
      agent.calls.splice(0);
      expect((await client.statistics()).containers).toMatchObject([{ executorId: 'thermos-a' }]);
      expect(agent.calls.map(({ endpoint }) => endpoint)).toEqual(endpoints);
      agent.knobs.instead = ({ endpoint }) =>
        endpoint === '/containers' ? { status: 403, headers: {}, body: '' } : undefined;
      expect((await client.statistics()).containers).toHaveLength(1);
      agent.knobs.instead = () => ({ status: 200, headers: {}, body: '[{"statistics":{"timestamp":NaN}}]' });
      await expect(client.statistics()).rejects.toMatchObject({ kind: 'odd' });
    } finally {
      http.close();
      await close();
    }
  });
});
