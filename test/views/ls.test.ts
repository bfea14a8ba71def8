import { expect, test } from 'vitest';
import type { SandboxEntry } from '../../src/sandbox/sandbox-tree.js';
import { lsText, modeText } from '../../src/views/ls.js';
import { PIPE, TTY } from './task-views.js';

const entry = (more: Partial<SandboxEntry>): SandboxEntry => ({
  names: [],
  type: 'file',
  bytes: 2048,
  mtime_ms: 1_400_000_000_000,
  mode: 0o644,
  owner: 'www-data',
  ...more,
});

test('a row an entry: on a pipe with bytes and times, on a terminal with units and ages', () => {
  const entries = [
    { name: '.logs', entry: entry({ type: 'directory', mode: 0o755 }) },
    { name: 'a\n', entry: entry({}) },
    { name: 'link', entry: entry({ type: 'link', mode: 0o777, target: 'a\u001b' }) },
  ];
  expect(lsText(entries, PIPE)).toBe(`MODE        OWNER     SIZE              MODIFIED  NAME
drwxr-xr-x  www-data     -  2014-05-13T16:53:20Z  .logs
-rw-r--r--  www-data  2048  2014-05-13T16:53:20Z  a\\n
lrwxrwxrwx  www-data     -  2014-05-13T16:53:20Z  link -> a\\e
`);
  expect(lsText(entries, { ...TTY, now: 1_400_000_060_000 })).toContain(
    '-rw-r--r--  www-data  2KiB        1m  a\\n',
  );
});

test('an empty directory is nothing', () => {
  expect(lsText([], PIPE)).toBe('');
});

test.each([
  ['file', 0o4755, '-rwsr-xr-x'],
  ['file', 0o6644, '-rwSr-Sr--'],
  ['directory', 0o1777, 'drwxrwxrwt'],
  ['fifo', 0o000, 'p---------'],
  ['character-device', 0o1660, 'crw-rw---T'],
] as const)('a %s of mode %o is %s', (type, mode, text) => {
  expect(modeText({ type, mode })).toBe(text);
});
