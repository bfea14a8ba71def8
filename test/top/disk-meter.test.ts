import { describe, expect, test } from 'vitest';
import { DiskMeter, type DiskThread } from '../../src/top/disk-meter.js';
import type { DiskAnswer, DiskRequest } from '../../src/top/disk-protocol.js';

function machine() {
  const asked: DiskRequest[] = [];
  let answered: (answer: DiskAnswer) => void = () => {};
  let broken = () => {};
  const state = { started: 0, time: { timeMs: 1_000_000, atMs: 0 } };
  const start = (): DiskThread => {
    state.started += 1;
    return {
      send: (request) => asked.push(request),
      listen: (onAnswer, onBroken) => {
        answered = onAnswer;
        broken = onBroken;
      },
    };
  };
  const meter = new DiskMeter(start, () => state.time);
  return { meter, asked, state, answer: (each: DiskAnswer) => answered(each), break: () => broken() };
}

const A = { key: 'a', sandbox: '/a' };
const B = { key: 'b', sandbox: '/b', log_dir: '/l' };

describe('the disks of tasks', () => {
  test('are not known at first, and then as of their measurement', () => {
    const { meter, asked, answer, state } = machine();
    expect(meter.of(A)).toBeUndefined();
    expect(asked).toEqual([{ key: 'a', sandbox: '/a', log_dir: undefined }]);
    state.time = { timeMs: 1_002_000, atMs: 2000 };
    answer({ key: 'a', size: { bytes: 5 } });
    state.time = { timeMs: 1_005_000, atMs: 5000 };
    expect(meter.of(A)).toEqual({ bytes: 5, asOfMs: 1_002_000 });
  });

  test('are measured one after the other, and again when they are due', () => {
    const { meter, asked, answer, state } = machine();
    meter.of(A);
    meter.of(B);
    meter.of(B);
    expect(asked).toHaveLength(1);
    answer({ key: 'a', size: { bytes: 1 } });
    expect(asked.map(({ key }) => key)).toEqual(['a', 'b']);
    answer({ key: 'b', size: { bytes: 2, atLeast: true } });
    meter.of(A);
    expect(asked).toHaveLength(2);
    state.time = { timeMs: 0, atMs: 10_000 };
    meter.of(A);
    expect(asked.map(({ key }) => key)).toEqual(['a', 'b', 'a']);
    // Until it is measured again, the last measurement counts.
    expect(meter.of(A)?.bytes).toBe(1);
  });

  test('of a sandbox that went away are not known any more', () => {
    const { meter, answer, state } = machine();
    meter.of(A);
    answer({ key: 'a', size: { bytes: 1 } });
    state.time = { timeMs: 0, atMs: 10_000 };
    meter.of(A);
    answer({ key: 'a' });
    expect(meter.of(A)).toBeUndefined();
  });

  test('are forgotten with the task, also if it is being measured', () => {
    const { meter, asked, answer } = machine();
    meter.of(A);
    meter.of(B);
    meter.keepOnly(new Set());
    answer({ key: 'a', size: { bytes: 1 } });
    expect(asked).toHaveLength(1);
    expect(meter.of(A)).toBeUndefined();
  });

  test('of a task without a place are not asked for, and start no thread', () => {
    const { meter, state } = machine();
    expect(meter.of({ key: 'c' })).toBeUndefined();
    expect(state.started).toBe(0);
  });

  test('stay as of their last measurement if the thread breaks, which is not started again', () => {
    const all = machine();
    all.meter.of(A);
    all.break();
    all.meter.of(B);
    expect(all.state).toMatchObject({ started: 1 });
    expect(all.asked).toHaveLength(1);
  });
});
