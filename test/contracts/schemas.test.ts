import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { CONTRACTS, type ContractName } from '../../src/contracts/index.js';
import type { Problem } from '../../src/errors/problem.js';
import { openViolations, shippedSchema, violations } from './validate.js';

const NAMES = Object.keys(CONTRACTS) as ContractName[];

const TASK = {
  task_id: 'hello-1',
  root: '/var/run/thermos',
  layout: 'host',
  phase: 'active',
  state: 'ACTIVE',
  verdict: 'ok',
  state_timestamp_ms: 1_400_000_000_000,
  ports: { http: 8080 },
  runner: { pid: 1, uid: 0, alive: null },
  processes: [{ process: 'hello', state: 'RUNNING', runs: 1, failures: 0, pid: 12, start_time: 1.5 }],
  problems: [],
};
const PROBLEM = { code: 'root-missing', message: 'no such root', severity: 'error', path: '/x' };

const VALID: [ContractName, unknown][] = [
  ['status', { tasks: [TASK], roots: [{ path: '/r', layout: 'mesos', tasks: 1 }], problems: [PROBLEM] }],
  ['status', { tasks: [{ ...TASK, state: 9 }], roots: [], problems: [] }],
  ['status', { tasks: [{ ...TASK, launch_time_ms: '9223372036854775807' }], roots: [], problems: [] }],
  [
    'inspect',
    {
      ...TASK,
      header: null,
      statuses: [{ state: 9, timestamp_ms: 1 }],
      history: { hello: [{ seq: 3, state: 'SUCCESS', stop_time: '-inf', return_code: 0 }] },
      task: { name: 'hello', processes: [] },
      ordering: [{ process: 'hello', after: [] }],
      resources: { cpu: 0.5, ram: 1, disk: 1 },
      logs: [{ process: 'hello', run: 0, stream: 'stdout', path: '/l', bytes: 0 }],
      why: ['hello runs'],
    },
  ],
  ['read', { header: { task_id: 'x' }, statuses: [], processes: {}, records: 1, bytes: 2, problems: [] }],
  ['record', { offset: 0, length: 3, type: 'task_status', value: { state: 'ACTIVE' } }],
  ['record', { problem: { ...PROBLEM, offset: 12 } }],
  [
    'roots',
    { roots: [{ path: '/r', layout: 'host', source: '--root', tasks: 0, readable: false }], problems: [] },
  ],
  ['tail', { task_id: 'x', process: 'p', run: 0, stream: 'stderr', line: '' }],
  ['version', { version: '1.0.0', node: 'v20.20.2' }],
  ['version', { version: '1.0.0', node: 'v20.20.2', coordinator: 'native' }],
  [
    'version',
    { version: '1.0.0', node: 'v24.21.0', v8: '13', form: 'tarball', place: '/opt', commit: 'a', built: 'b' },
  ],
  ['error', { error: { code: 'usage', message: 'no', hint: 'see --help' } }],
  ['problem', PROBLEM],
];

const INVALID: [ContractName, string, unknown][] = [
  ['status', 'no tasks', { roots: [], problems: [] }],
  [
    'status',
    'a state in words of its own',
    { tasks: [{ ...TASK, state: 'running' }], roots: [], problems: [] },
  ],
  [
    'status',
    'a verdict that is not known',
    { tasks: [{ ...TASK, verdict: 'fine' }], roots: [], problems: [] },
  ],
  ['status', 'a time as text', { tasks: [{ ...TASK, state_timestamp_ms: '1' }], roots: [], problems: [] }],
  ['status', 'null for what is absent', { tasks: [{ ...TASK, sandbox: null }], roots: [], problems: [] }],
  [
    'status',
    'an integer beyond 2^53',
    { tasks: [{ ...TASK, launch_time_ms: 2 ** 60 }], roots: [], problems: [] },
  ],
  ['record', 'a value of no type', { offset: 0, length: 1, type: 'other', value: {} }],
  [
    'read',
    'a time by another name',
    {
      header: {},
      statuses: [],
      processes: { a: [{ stop_time: 'NaN' }] },
      records: 0,
      bytes: 0,
      problems: [],
    },
  ],
  ['tail', 'a line of no run', { task_id: 'x', process: 'p', stream: 'stdout', line: '' }],
  ['error', 'a message alone', { error: { message: 'no' } }],
];

test.each(NAMES)('%s: the schema says what it is, and is open', (name) => {
  const schema = shippedSchema(name);
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  // What is written may get more fields; what people write has none that nobody knows.
  expect(JSON.stringify(schema).includes('"additionalProperties":false')).toBe(name === 'config');
});

describe.each(VALID)('%s', (name, document) => {
  test(`accepts ${JSON.stringify(document).slice(0, 60)}`, () => {
    expect(violations(name, document)).toEqual([]);
    expect(CONTRACTS[name].safeParse(document).error).toBeUndefined();
  });

  test('tests find a field that no schema knows; users of the shipped schema do not mind', () => {
    const newer = { ...(document as object), added_later: 1 };
    expect(violations(name, newer)).not.toEqual([]);
    expect(openViolations(name, newer)).toEqual([]);
  });
});

test.each(INVALID)('%s refuses %s', (name, _what, document) => {
  expect(openViolations(name, document)).not.toEqual([]);
  expect(CONTRACTS[name].safeParse(document).success).toBe(false);
});

test('a problem in a document is a Problem of the program', () => {
  // Both assignments are checked by the compiler.
  const problem: Problem = { code: 'usage', message: 'b', severity: 'warning', offset: 1, hint: 'c' };
  const document: Required<z.infer<typeof CONTRACTS.problem>> = problem as Required<Problem>;
  const back: Required<Problem> = document;
  expect(violations('problem', back)).toEqual([]);
});
