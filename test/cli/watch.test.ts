import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Terminal } from '../../src/cli/terminal.js';
import { type Frame, watchFrames } from '../../src/cli/watch.js';
import { PIPE } from '../views/task-views.js';

/** As much of a terminal as frames need that are written to a pipe. */
function pipe() {
  const written: string[] = [];
  const terminal = {
    stdoutIsTerminal: false,
    rows: 24,
    write: (text: string) => written.push(text),
    writeError: (text: string) => text !== '' && written.push(`! ${text}`),
    style: () => PIPE,
    isClosed: () => false,
  } as unknown as Terminal;
  return { terminal, written };
}

const frame = (text: string): Frame => ({ text, problems: [] });
const INTERVAL_MS = 1;

test.each<[string, (answer: Frame) => Frame | Promise<Frame>]>([
  ['at once', (answer) => answer],
  ['late', (answer) => sleep(3, answer)],
])('frames that come %s are written when they differ', async (_, given) => {
  const { terminal, written } = pipe();
  const texts = ['a', 'a', 'b', 'b', 'a'];
  const watching = watchFrames(terminal, INTERVAL_MS, () => {
    const text = texts.shift();
    if (text === undefined) process.emit('SIGINT');
    return given(frame(text ?? 'a'));
  });
  expect(await watching).toBe(130);
  expect(written).toEqual(['a', 'b', 'a']);
});

test.each([0, 1])('a signal ends it though a frame never comes: %d before it', async (before) => {
  const { terminal, written } = pipe();
  let drawn = 0;
  const watching = watchFrames(terminal, INTERVAL_MS, () => {
    if (drawn++ < before) return frame('a');
    setTimeout(() => process.emit('SIGTERM'), 5);
    return new Promise<Frame>(() => {});
  });
  expect(await watching).toBe(143);
  expect(written).toEqual(before === 0 ? [] : ['a']);
  expect(process.listenerCount('SIGWINCH')).toBe(0);
});

test('what cannot be drawn ends it, and leaves the signals as they were', async () => {
  const { terminal } = pipe();
  const listening = process.listenerCount('SIGINT');
  const failing = watchFrames(terminal, INTERVAL_MS, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(process.listenerCount('SIGINT')).toBe(listening);
});
