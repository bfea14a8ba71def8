import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { ThriftWriter, TYPE } from '../../src/checkpoint/thrift.js';
import { streamOf } from '../checkpoint/arbitraries.js';
import { PROGRAM, runToEnd, tempDir } from './harness.js';
import { expectContract } from './tasks.js';

let dir: string;
let remove: () => void;

beforeAll(() => {
  ({ path: dir, remove } = tempDir());
});
afterAll(() => remove());

const HEADER: CheckpointRecord = { type: 'runner_header', value: { task_id: 't', sandbox: '/none' } };
const END: CheckpointRecord = {
  type: 'task_status',
  value: { state: 'SUCCESS', timestamp_ms: 1_700_000_000_000 },
};

/** A root with the finished task `t` whose stream has `count` times the records that `at` gives. */
function rootOf(name: string, count: number, at: (k: number) => readonly CheckpointRecord[]) {
  const root = join(dir, name);
  const runner = join(root, 'checkpoints/t/runner');
  mkdirSync(join(root, 'checkpoints/t'), { recursive: true });
  mkdirSync(join(root, 'tasks/finished'), { recursive: true });
  mkdirSync(join(root, 'tasks/active'));
  writeFileSync(join(root, 'tasks/finished/t'), '{"processes":[]}');
  const fd = openSync(runner, 'w');
  writeSync(fd, streamOf([HEADER]));
  for (let k = 0; k < count; k += 1000) {
    writeSync(fd, streamOf(Array.from({ length: Math.min(1000, count - k) }, (_, i) => at(k + i)).flat()));
  }
  writeSync(fd, streamOf([END]));
  closeSync(fd);
  return { root, runner };
}

/** What the processor has done for processes that we started and that have ended. */
function childrenSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** Runs thermos with so little memory (MiB) that nothing of the stream's length fits into it. */
function crampedBy(memory: number, ...args: string[]) {
  const result = runToEnd(process.execPath, [`--max-old-space-size=${memory}`, PROGRAM, ...args]);
  expect(result.stderr).not.toMatch(/out of memory|bug/);
  return result;
}

const cramped = (...args: string[]) => crampedBy(200, ...args);

describe('a stream of 100,000 runs of one process', () => {
  const RUNS = 100_000;
  const cramped = (...args: string[]) => crampedBy(50, ...args);
  let root: string;
  let runner: string;

  beforeAll(() => {
    ({ root, runner } = rootOf('runs', RUNS, (k) => [
      { type: 'process_status', value: { seq: 2 * k, process: 'p', state: 'WAITING' } },
      {
        type: 'process_status',
        value: { seq: 2 * k + 1, process: 'p', state: 'FAILED', return_code: k % 256 },
      },
    ]));
  });

  const gap = { at: 5000, count: RUNS - 10_001 };
  const warning = `warning: ${gap.count} runs of process p between the first and the last ones are left out\n`;

  it('is read with the first and the last of them', () => {
    const { stdout, stderr, status } = cramped('read', runner, '--json');
    const document = JSON.parse(stdout);
    expectContract('read', document);
    expect(status).toBe(0);
    expect(stderr).toContain(warning);
    expect(document).toMatchObject({ records: 2 * RUNS + 2, left_out: { runs: { p: gap } } });
    expect(document.problems).toMatchObject([
      { code: 'runs-left-out', severity: 'warning', path: runner, process: 'p' },
    ]);
    const seqs = document.processes.p.map(({ seq }: { seq: number }) => (seq - 1) / 2);
    expect([seqs.length, seqs[0], seqs[4999], seqs[5000], seqs.at(-1)]).toEqual([
      10_001,
      0,
      4999,
      RUNS - 5001,
      RUNS - 1,
    ]);
  });

  it('is inspected with the first and the last of them', () => {
    const { stdout, status } = cramped('inspect', 't', '--root', root, '--json');
    const document = JSON.parse(stdout);
    expectContract('inspect', document);
    expect(status).toBe(0);
    expect(document.processes).toMatchObject([{ process: 'p', runs: RUNS, failures: RUNS }]);
    expect(document.history.p).toHaveLength(10_001);
    expect(document.left_out).toEqual({ runs: { p: gap } });
    expect(document.problems).toMatchObject([{ code: 'runs-left-out', task_id: 't' }]);
  });

  it.each([['read'], ['inspect']])(
    '%s shows the runs by their numbers, and where some are left out',
    (command) => {
      const words = command === 'read' ? ['read', runner] : ['inspect', 't', '--root', root];
      const { stdout, stderr, status } = cramped(...words);
      expect({ status, told: stderr.includes(warning) }).toEqual({ status: 0, told: true });
      const numbers = [...stdout.matchAll(/^ {2}p +(\d+) +FAILED/gm)].map(([, n]) => Number(n));
      const runs = numbers.slice(-10_001);
      expect([runs[0], runs[4999], runs[5000], runs.at(-1)]).toEqual([0, 4999, RUNS - 5001, RUNS - 1]);
      expect(stdout).toContain(`  ${gap.count} runs of p after the first 5000 are left out\n`);
    },
  );

  it('has them all among its records', () => {
    const { stdout } = cramped('read', '--records', runner);
    expect(stdout.split('\n')).toHaveLength(2 * RUNS + 3);
  });
});

describe('a stream of 400,000 task statuses', () => {
  const COUNT = 400_000;
  let root: string;
  let runner: string;

  beforeAll(() => {
    ({ root, runner } = rootOf('statuses', COUNT, (k) => [
      { type: 'task_status', value: { state: 'ACTIVE', timestamp_ms: k, runner_pid: k } },
    ]));
  });

  it('is shown with the first and the last of them', () => {
    for (const [name, ...words] of [
      ['read', 'read', runner],
      ['inspect', 'inspect', 't', '--root', root],
    ] as const) {
      const { stdout, stderr, status } = cramped(...words, '--json');
      const document = JSON.parse(stdout);
      expectContract(name, document);
      expect(status).toBe(0);
      expect(document.left_out).toEqual({ statuses: { at: 50_000, count: COUNT + 1 - 100_000 } });
      expect(document.statuses).toHaveLength(100_000);
      expect(stderr).toContain('task statuses between the first and the last ones are left out');
      expect(cramped(...words).stdout).toContain('statuses after the first 50000 are left out\n');
    }
  });
});

describe('a stream of 200,000 processes', () => {
  const COUNT = 200_000;
  let root: string;
  let runner: string;

  beforeAll(() => {
    ({ root, runner } = rootOf('processes', COUNT, (k) => [
      { type: 'process_status', value: { seq: 0, process: `process-${k}`, state: 'WAITING' } },
    ]));
  });

  it('is shown with the first of them, and the state of the task', () => {
    for (const [name, ...words] of [
      ['status', 'status', '--root', root],
      ['inspect', 'inspect', 't', '--root', root],
      ['read', 'read', runner],
    ] as const) {
      const { stdout, status } = cramped(...words, '--json');
      const document = JSON.parse(stdout);
      expectContract(name, document);
      expect(status).toBe(5);
      const task = name === 'status' ? document.tasks[0] : document;
      expect(Object.keys(task.processes)).toHaveLength(65_536);
      expect(task.problems).toMatchObject([{ code: 'processes-left-out', severity: 'error', path: runner }]);
      if (name !== 'status') expect(document.left_out).toEqual({ records: COUNT - 65_536 });
      if (name !== 'read') expect(task.state).toBe('SUCCESS');
      const text = cramped(...words);
      expect(text.status).toBe(5);
      expect(text.stderr).toContain(`${COUNT - 65_536} records of later processes are left out`);
    }
  });
});

describe('a stream that is nearly all holes', () => {
  const RECORD = 64 << 20;
  /** A task status with a field of 64 MiB that nobody knows, up to the zeros in it. */
  const beginning = new ThriftWriter()
    .i32(RECORD)
    .field(TYPE.STRUCT, 3)
    .field(TYPE.STRING, 99)
    .i32(RECORD - 12)
    .finish();
  let root: string;
  let runner: string;
  let good: number;

  beforeAll(() => {
    ({ root, runner } = rootOf('sparse', 1, () => [{ type: 'task_status', value: { state: 'ACTIVE' } }]));
    good = statSync(runner).size;
    const fd = openSync(runner, 'r+');
    let at = good;
    for (let k = 0; k < 200; k++, at += 4 + RECORD) writeSync(fd, beginning, 0, beginning.length, at);
    ftruncateSync(fd, at);
    closeSync(fd);
  });

  it('is read no further than its beginning, and that is said', () => {
    const { size, blocks } = statSync(runner);
    expect(blocks * 512).toBeLessThan(size / 1000);
    for (const [name, ...words] of [
      ['status', 'status', '--root', root],
      ['inspect', 'inspect', 't', '--root', root],
      ['read', 'read', runner],
    ] as const) {
      const before = childrenSeconds();
      const { stdout, stderr, status } = cramped(...words, '--json');
      // Read to its end it takes half a minute.
      expect(childrenSeconds() - before).toBeLessThan(10);
      const document = JSON.parse(stdout);
      expectContract(name, document);
      expect(status).toBe(5);
      const [problem] = (name === 'status' ? document.tasks[0] : document).problems;
      expect(problem).toMatchObject({
        code: 'checkpoint-sparse',
        severity: 'error',
        path: runner,
        offset: good,
      });
      expect(stderr).toContain(`${size} bytes only ${blocks * 512} are on disk`);
    }
  });

  it('does not keep the other commands', () => {
    for (const words of [
      ['read', '--records', runner],
      ['read', '--follow', runner],
      ['tail', 't', '--root', root],
      ['wait', 't', '--root', root],
      ['doctor', '--root', root],
      ['gc', '--dry-run', '--root', root],
    ]) {
      const before = childrenSeconds();
      cramped(...words);
      expect(childrenSeconds() - before).toBeLessThan(10);
    }
  });
});

describe('what is too long to be a name', () => {
  const cases: [string, CheckpointRecord][] = [
    [
      'a process',
      { type: 'process_status', value: { seq: 0, process: '\u0001'.repeat(2 << 20), state: 'WAITING' } },
    ],
    ['paths', { type: 'runner_header', value: { sandbox: '\u0001'.repeat(25 << 20) } }],
    [
      'ports',
      {
        type: 'runner_header',
        value: { ports: Object.fromEntries(Array.from({ length: 70_000 }, (_, k) => [`p${k}`, k])) },
      },
    ],
  ];

  it.each(cases)('%s: the stream is damaged there, and nothing of it is printed', (_, record) => {
    const file = join(dir, 'runner');
    const before = streamOf([{ type: 'task_status', value: { state: 'ACTIVE' } }]);
    writeFileSync(file, Buffer.concat([before, streamOf([record])]));
    for (const flags of [[], ['--json'], ['--records'], ['--records', '--json']]) {
      const { status, stdout, stderr } = cramped('read', file, ...flags);
      expect(status).toBe(5);
      expect(stdout + stderr).toContain(`is damaged at byte ${before.length}: `);
      expect(stdout.length + stderr.length).toBeLessThan(2000);
    }
  });
});
