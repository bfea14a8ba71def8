import { expect, test } from 'vitest';
import type { RestartDocument, SignalDocument } from '../../src/contracts/run.js';
import { restartText } from '../../src/views/restart.js';
import { signalText } from '../../src/views/signal.js';
import { COLOURED, namedColours, PIPE } from './task-views.js';

const RESTART: RestartDocument = {
  task_id: 'web-1',
  root: '/var/run/thermos',
  process: 'web',
  was: { run: 0, pid: 1 },
  ended: 'terminated',
  now: { run: 1, state: 'RUNNING', pid: 2 },
  signalled: [1, 3],
  problems: [],
};

test.each<[string, Partial<RestartDocument>]>([
  ['web: run 0 (pid 1) ended, run 1 is running (pid 2)', {}],
  ['web: run 0 (pid 1) did not end in time and was killed, run 1 is running (pid 2)', { ended: 'killed' }],
  ['web: run 0 (pid 1) ended, its runner starts run 1', { now: undefined }],
  ['web: run 0 (pid 1) ended, run 2 (pid 4) is already FAILED', { now: { run: 2, state: 'FAILED', pid: 4 } }],
])('a restart: %s', (text, given) => {
  expect(restartText({ ...RESTART, ...given }, PIPE)).toBe(`${text}\n`);
});

test('a state has its colour', () => {
  const now = { run: 1, state: 'FAILED' as const };
  const text = restartText({ ...RESTART, now }, { ...PIPE, paint: COLOURED, colour: 1 });
  expect(namedColours(text)).toBe('web: run 0 (pid 1) ended, run 1 is already <red>FAILED</red>\n');
});

test.each<[string, readonly number[]]>([
  ['SIGHUP -> web (pid 1, run 0)', [1]],
  ['SIGHUP -> web (pid 1, run 0) and 1 more process of it', [1, 2]],
  ['SIGHUP -> web (pid 1, run 0) and 2 more processes of it', [1, 2, 3]],
])('a signal: %s', (text, signalled) => {
  const { task_id, root, process } = RESTART;
  const about = { task_id, root, process, run: 0, signal: 'SIGHUP', number: 1, pid: 1, problems: [] };
  const document: SignalDocument = { ...about, signalled: [...signalled] };
  expect(signalText(document)).toBe(`${text}\n`);
});
