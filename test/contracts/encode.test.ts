import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  encodeHeader,
  encodeHistory,
  encodeInteger,
  encodeProcessStatus,
  encodeRecord,
  encodeSeconds,
  encodeTaskStatus,
} from '../../src/contracts/encode.js';
import { violations } from './validate.js';

test.each([
  [0, 0],
  [-1, -1],
  [2 ** 53 - 1, 2 ** 53 - 1],
  [5n, 5],
  [2n ** 53n, '9007199254740992'],
  [-(2n ** 63n), '-9223372036854775808'],
  [undefined, undefined],
])('the integer %s is %s', (value, encoded) => {
  expect(encodeInteger(value)).toBe(encoded);
});

test('times that JSON has no words for get the names that the original gives them', () => {
  expect(
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.25].map((x) => encodeSeconds(x)),
  ).toEqual(['nan', 'inf', '-inf', 1.25]);
});

test('names of the object prototype survive as names of ports and processes', () => {
  const ports = Object.assign(Object.create(null), { constructor: 1 });
  Object.defineProperty(ports, '__proto__', { value: 2n ** 60n, enumerable: true });
  const header = JSON.stringify(encodeHeader({ task_id: 'x', ports }));
  expect(header).toBe('{"task_id":"x","ports":{"constructor":1,"__proto__":"1152921504606846976"}}');
  const history = JSON.stringify(encodeHistory([['__proto__', [{ seq: 1, state: 'WAITING' }]]]));
  expect(history).toBe('{"__proto__":[{"seq":1,"state":"WAITING"}]}');
});

test('what is not set stays absent', () => {
  expect(JSON.stringify(encodeHeader({}))).toBe('{}');
  expect(JSON.stringify(encodeTaskStatus({ state: 9 }))).toBe('{"state":9}');
  expect(JSON.stringify(encodeProcessStatus({ seq: 0 }))).toBe('{"seq":0}');
});

test('whatever a record holds, the line is valid JSON by the schema', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const int32 = fc.integer();
  const processStatus = fc.record(
    {
      seq: int64,
      process: fc.string({ unit: 'binary' }),
      state: fc.integer({ min: 7 }),
      start_time: fc.double(),
      stop_time: fc.double(),
      fork_time: fc.double(),
      pid: int32,
      return_code: int32,
      coordinator_pid: int32,
    },
    { requiredKeys: [] },
  );
  const taskStatus = fc.record(
    {
      state: fc.constantFrom('ACTIVE' as const, 9),
      timestamp_ms: int64,
      runner_pid: int32,
      runner_uid: int32,
    },
    { requiredKeys: [] },
  );
  const header = fc.record(
    { task_id: fc.string(), launch_time_ms: int64, ports: fc.dictionary(fc.string(), int64), uid: int32 },
    { requiredKeys: [] },
  );
  const record = fc.oneof(
    processStatus.map((value) => ({ type: 'process_status' as const, value })),
    taskStatus.map((value) => ({ type: 'task_status' as const, value })),
    header.map((value) => ({ type: 'runner_header' as const, value })),
  );
  fc.assert(
    fc.property(record, fc.nat(), fc.nat(), (value, offset, length) => {
      const line = JSON.parse(JSON.stringify(encodeRecord(value, offset, length)));
      expect(violations('record', line)).toEqual([]);
    }),
  );
});
