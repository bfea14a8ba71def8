import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PROCESS_STATES, type ProcessStatus, TASK_STATES } from '../../src/checkpoint/records.js';
import { type CheckpointState, REPLAY_LIMITS } from '../../src/checkpoint/replay.js';
import type { Material } from '../../src/task/material.js';
import { parseTaskConfig } from '../../src/task/task-file.js';
import { viewOf } from '../../src/task/view.js';
import { foundTask } from './trees.js';

const found = foundTask('/root', 't');
const NOTHING: CheckpointState = { header: null, statuses: [], processes: new Map() };

/** Of a task that runs well, unless something else is given. */
function material(given: Partial<Material> = {}): Material {
  return {
    found,
    stream: { owner: 'root', mtimeMs: 9000 },
    state: { ...NOTHING, statuses: [{ state: 'ACTIVE', timestamp_ms: 5000, runner_pid: 7, runner_uid: 0 }] },
    config: undefined,
    runner: { alive: true, foreign: false },
    located: {},
    leftovers: [],
    bootTimeMs: 1000,
    reasons: [],
    moved: false,
    removed: false,
    problems: [],
    ...given,
  };
}

function ran(process: string, ...runs: ProcessStatus[]): CheckpointState['processes'] {
  const failures = runs.filter(({ state }) => state === 'FAILED').length;
  return new Map([[process, { process, runs, run_count: runs.length, failures }]]);
}

describe('viewOf', () => {
  test('joins the stream, the task file and the host', () => {
    const state: CheckpointState = {
      header: {
        task_id: 't',
        user: 'www-data',
        uid: 33,
        hostname: 'h',
        sandbox: '/old/s',
        ports: { http: 80 },
      },
      statuses: [{ state: 'ACTIVE', timestamp_ms: 5000, runner_pid: 7, runner_uid: 0 }],
      processes: ran('p', { state: 'FAILED', return_code: 1 }, { state: 'RUNNING', pid: 12 }),
    };
    const config = parseTaskConfig({
      name: 'web',
      processes: [{ name: 'q', max_failures: 3 }, { name: 'p', cmdline: 'true' }, { name: 'q' }],
    });
    const located = { sandbox: { path: '/new/s', relocated: true, found: true } };
    expect(viewOf(material({ state, config, located }))).toMatchObject({
      task_id: 't',
      phase: 'active',
      state: 'ACTIVE',
      verdict: 'ok',
      name: 'web',
      user: 'www-data',
      uid: 33,
      hostname: 'h',
      owner: 'root',
      ports: { http: 80 },
      sandbox: { path: '/new/s', recorded: '/old/s', found: true },
      runner: { pid: 7, uid: 0, alive: true },
      silent_since_ms: 9000,
      processes: [
        { process: 'q', state: 'WAITING', runs: 0, failures: 0, max_failures: 3 },
        { process: 'p', state: 'RUNNING', runs: 2, failures: 1, pid: 12, cmdline: 'true' },
      ],
    });
  });

  test.each<[string, Partial<Material>, unknown[]]>([
    ['whose runner is dead', { runner: { alive: false, foreign: false } }, ['active', 'runner-gone']],
    [
      'of a machine that was started since',
      { runner: { alive: false, foreign: false }, bootTimeMs: 6000 },
      ['active', 'host-rebooted'],
    ],
    ['in another pid namespace', { runner: { alive: true, foreign: true } }, ['active', 'foreign-pids']],
    ['that could not be opened', { stream: undefined, state: NOTHING }, ['active', 'unknown']],
    ['that has not ended, whatever is said of its file', { moved: true }, ['active', 'ok']],
    [
      'that ended, its file moved since it was found',
      { state: { ...NOTHING, statuses: [{ state: 'SUCCESS' }] }, moved: true },
      ['finished', 'ok'],
    ],
    [
      'that ended, with processes that live on',
      { state: { ...NOTHING, statuses: [{ state: 'SUCCESS' }] }, moved: true, leftovers: [7] },
      ['finished', 'leftovers'],
    ],
  ])('a task %s', (_, given, expected) => {
    const { phase, verdict } = viewOf(material(given));
    expect([phase, verdict]).toEqual(expected);
  });

  test('what a stream has of too many processes is a problem behind those that were gathered', () => {
    const gathered = { code: 'task-file-damaged', severity: 'error', message: 'm' } as const;
    const { problems } = viewOf(
      material({ state: { ...NOTHING, records_left_out: 3 }, problems: [gathered] }),
    );
    expect(problems).toEqual([
      gathered,
      expect.objectContaining({
        code: 'processes-left-out',
        task_id: 't',
        path: '/root/checkpoints/t/runner',
      }),
    ]);
    expect(problems[1]?.message).toContain(`more than ${REPLAY_LIMITS.processes} processes`);
  });

  const name = fc.constantFrom('p', 'q', '__proto__', 'constructor', '', '/../x', '\ud800');
  const number = fc.oneof(fc.integer(), fc.double(), fc.constant(undefined));
  const time = fc.oneof(fc.integer(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constant(undefined));
  const text = fc.option(fc.string(), { nil: undefined });
  const run: fc.Arbitrary<ProcessStatus> = fc.record({
    state: fc.option(fc.constantFrom(...PROCESS_STATES), { nil: undefined }),
    pid: fc.option(fc.integer(), { nil: undefined }),
    start_time: number,
    stop_time: number,
    return_code: fc.option(fc.integer(), { nil: undefined }),
  });
  const history = fc.array(
    fc.record({
      process: name,
      runs: fc.array(run, { maxLength: 3 }),
      run_count: fc.nat(),
      failures: fc.nat(),
    }),
    { maxLength: 4 },
  );
  const located = fc.option(fc.record({ path: fc.string(), relocated: fc.boolean(), found: fc.boolean() }), {
    nil: undefined,
  });
  const anyMaterial: fc.Arbitrary<Material> = fc.record({
    found: fc
      .record({
        phase: fc.constantFrom('active' as const, 'finished' as const),
        unreadable: fc.option(fc.boolean(), { nil: undefined }),
      })
      .map((given) => ({ ...found, ...given })),
    reasons: fc.constant([]),
    stream: fc.option(fc.record({ owner: fc.string(), mtimeMs: fc.double() }), { nil: undefined }),
    state: fc.record({
      header: fc.option(
        fc.record({ task_id: text, sandbox: text, log_dir: text, launch_time_ms: time, uid: fc.integer() }),
      ),
      statuses: fc.array(
        fc.record({
          state: fc.constantFrom(...TASK_STATES, 99, undefined),
          timestamp_ms: time,
          runner_pid: fc.option(fc.integer(), { nil: undefined }),
        }),
        { maxLength: 3 },
      ),
      processes: history.map((all) => new Map(all.map((each) => [each.process, each]))),
      records_left_out: fc.option(fc.nat(), { nil: undefined }),
    }) as fc.Arbitrary<CheckpointState>,
    config: fc.option(
      fc
        .array(fc.record({ name, cmdline: fc.anything(), max_failures: fc.anything() }), { maxLength: 4 })
        .map((processes) => parseTaskConfig({ processes })),
      { nil: undefined },
    ),
    runner: fc.record({ alive: fc.constantFrom(true, false, null), foreign: fc.boolean() }),
    located: fc.record({ sandbox: located, log_dir: located }),
    leftovers: fc.array(fc.integer(), { maxLength: 3 }),
    bootTimeMs: number,
    moved: fc.boolean(),
    removed: fc.boolean(),
    problems: fc.array(
      fc.record({ code: fc.string(), severity: fc.constantFrom('error', 'warning'), message: fc.string() }),
      { maxLength: 2 },
    ) as fc.Arbitrary<Material['problems']>,
  });

  test('never throws, always says the same, and leaves its material as it is', () => {
    fc.assert(
      fc.property(anyMaterial, (material) => {
        const before = structuredClone(material);
        const view = viewOf(material);
        expect(material).toEqual(before);
        expect(viewOf(before)).toEqual(view);
        view.problems.push({ code: 'task-not-found', severity: 'error', message: '' });
        expect(material).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});
