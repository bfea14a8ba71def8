import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldsOf } from '../../src/agent/protobuf.js';
import { framed, isDockerExecutor, parseSlaveInfo, parseTaskUpdates } from '../../src/doctor/mesos-info.js';
import { executorInfo, frames, message, slaveInfo, taskUpdates } from './protobuf.js';

test('the attributes of an agent', () => {
  expect(parseSlaveInfo(slaveInfo('node-1', 'host', 'rack'))).toEqual({
    hostname: 'node-1',
    port: 5051,
    id: 'S0',
    attributes: ['host', 'rack'],
  });
});

test('a file without a message, as after a hard reboot', () => {
  expect(parseSlaveInfo(Buffer.alloc(0))).toBeUndefined();
  expect(parseSlaveInfo(frames(Buffer.alloc(0)))).toBeUndefined();
});

test('the kind of container', () => {
  expect([1, 2].map((type) => isDockerExecutor(executorInfo(type)))).toEqual([true, false]);
  expect(isDockerExecutor(frames(message([9, 'AuroraExecutor'])))).toBe(false);
});

test('updates without acknowledgements, and without a record that is cut short', () => {
  const file = taskUpdates([1, 1_400_000_000.5, ''], [3, 1_400_000_001, 'Executor terminated'], [99, 1, '']);
  const expected = [
    { state: 'TASK_RUNNING', message: undefined, timestamp: 1_400_000_000.5 },
    { state: 'TASK_FAILED', message: 'Executor terminated', timestamp: 1_400_000_001 },
    { state: 'state 99', message: undefined, timestamp: 1 },
  ];
  expect(parseTaskUpdates(file)).toEqual(expected);
  expect(parseTaskUpdates(Buffer.concat([file, file.subarray(0, 9)]))).toEqual(expected);
});

test('any bytes are read to some end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      for (const { number, bytes: inner } of fieldsOf(buffer)) {
        expect(number).toBeGreaterThanOrEqual(0);
        expect(inner?.length ?? 0).toBeLessThanOrEqual(buffer.length);
      }
      const total = [...framed(buffer)].reduce((sum, { length }) => sum + 4 + length, 0);
      expect(total).toBeLessThanOrEqual(buffer.length);
      parseSlaveInfo(buffer);
      parseTaskUpdates(buffer);
      isDockerExecutor(buffer);
    }),
  );
});
