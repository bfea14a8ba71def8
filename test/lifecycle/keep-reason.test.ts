import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MOST_REASONS_BYTES, parseReasons } from '../../src/layout/reasons.js';
import { currentUser, keepReason } from '../../src/lifecycle/keep-reason.js';
import { tempDir } from '../e2e/harness.js';

let place: { root: string; taskId: string };
let remove: () => void;
beforeEach(() => {
  const temp = tempDir();
  place = { root: temp.path, taskId: 't' };
  remove = temp.remove;
});
afterEach(() => remove());

const REASON = { time_ms: 7, code: 'task-killed', message: 'SIGTERM' };
const text = () => readFileSync(`${place.root}/checkpoints/t/reasons`, 'utf8');

test('reasons are kept beside the stream, up to a size', () => {
  mkdirSync(`${place.root}/checkpoints/t`, { recursive: true });
  keepReason(place, REASON, 5);
  expect(parseReasons(text())).toEqual([REASON]);
  for (let i = 0; i < 200; i++) keepReason(place, { ...REASON, message: 'x'.repeat(1000) }, 5);
  expect(text().length).toBeLessThanOrEqual(MOST_REASONS_BYTES);
  expect(parseReasons(text()).length).toBeGreaterThan(50);
});

test('what cannot be kept is not, without an error', () => {
  keepReason(place, REASON, 5);
  mkdirSync(`${place.root}/checkpoints/t`, { recursive: true });
  writeFileSync(`${place.root}/victim`, '');
  symlinkSync(`${place.root}/victim`, `${place.root}/checkpoints/t/reasons`);
  keepReason(place, REASON, 5);
  expect(readFileSync(`${place.root}/victim`, 'utf8')).toBe('');
});

test('root is named together with the user behind sudo', () => {
  const name = currentUser({});
  expect(name).not.toBe('');
  const isRoot = process.getuid?.() === 0;
  expect(currentUser({ SUDO_USER: 'alice' })).toBe(isRoot ? `${name} (sudo of alice)` : name);
});
