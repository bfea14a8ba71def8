import { describe, expect, test } from 'vitest';
import type { Owner } from '../../src/lifecycle/owner.js';
import { send } from '../../src/lifecycle/signal.js';
import { type FakeProcess, FakeProcesses } from './fake-processes.js';

const OWNER: Owner = { uid: 1000, isWrittenByRoot: false, recordsSuffice: true };
const FOUND = { pid: 7, startTimeTicks: 10_000 };

function sendTo(process: FakeProcess | undefined, owner: Partial<Owner> = {}) {
  const processes = new FakeProcesses(process === undefined ? {} : { 7: process });
  const answer = send(processes, FOUND, 'SIGTERM', { ...OWNER, ...owner });
  return { answer, sent: processes.sent };
}

describe('a signal', () => {
  test('reaches the process that was found', () => {
    expect(sendTo({ uid: 1000 })).toEqual({ answer: 'sent', sent: [[7, 'SIGTERM']] });
  });

  test.each<[string, FakeProcess | undefined]>([
    ['nobody', undefined],
    ['a zombie', { uid: 1000, state: 'Z' }],
    ['who got its pid after it', { uid: 1000, started: 101 }],
  ])('is not sent to %s', (_, process) => {
    expect(sendTo(process)).toEqual({ answer: 'gone', sent: [] });
  });

  test('is not sent to another user’s process, unless root says that it is the task’s', () => {
    expect(sendTo({ realUid: 5 })).toMatchObject({
      answer: {
        code: 'signal-refused',
        message: 'process 7 was left alone: it belongs to uid 5, but the task to uid 1000',
      },
      sent: [],
    });
    expect(sendTo({ realUid: 5 }, { isWrittenByRoot: true }).answer).toBe('sent');
  });

  test('that could not be sent is told', () => {
    const refusing = { signal: () => ({ why: 'operation not permitted' }) };
    const processes = Object.assign(new FakeProcesses({ 7: { uid: 1000 } }), refusing);
    expect(send(processes, FOUND, 'SIGKILL', OWNER)).toMatchObject({
      code: 'signal-failed',
      message: 'process 7 cannot be sent SIGKILL: operation not permitted',
    });
  });
});
