import { describe, expect, it } from 'vitest';
import type { LineSource } from '../../src/logs/line-output.js';
import { PLAIN } from '../../src/views/parts/paint.js';
import type { Style } from '../../src/views/parts/style.js';
import {
  alignedPrefixes,
  eventText,
  linePrefix,
  lineText,
  type PrefixedLog,
  pathsText,
  stampText,
} from '../../src/views/tail.js';

const paint = { ...PLAIN, prefixes: [(text: string) => `<${text}>`, (text: string) => `[${text}]`] };
const style: Style = { width: 80, tty: true, colour: 1, unicode: true, now: 0, paint };
const web: LineSource = { task_id: 't', root: '/r', process: 'web', run: 2, stream: 'stderr' };

describe('linePrefix', () => {
  const none = { root: new Set<string>(), task: false, stream: false };

  it('names what distinguishes the logs', () => {
    expect(linePrefix(web, none, 0, style)).toBe('<web 2 |> ');
    expect(linePrefix(web, { ...none, stream: true }, 1, style)).toBe('[web 2 stderr |] ');
    expect(linePrefix(web, { root: new Set(['t']), task: true, stream: true }, 2, style)).toBe(
      '</r t web 2 stderr |> ',
    );
    // Only one task is in two roots.
    expect(linePrefix(web, { root: new Set(['other']), task: true, stream: true }, 2, style)).toBe(
      '<t web 2 stderr |> ',
    );
  });

  it('escapes the names', () => {
    expect(linePrefix({ ...web, process: '\u001b[2J\n' }, none, 0, style)).toBe('<\\e[2J\\n 2 |> ');
  });
});

describe('alignedPrefixes', () => {
  const naming = { root: new Set(['x']), task: true, stream: false };
  const log = (root: string, task_id: string, process: string, run: number): PrefixedLog => ({
    source: { task_id, root, process, run, stream: 'stdout' },
    naming,
    colour: 0,
    recorded: { user: 'www', name: 'web' },
  });
  const web = (instance: number) => `www-prod-web-${instance}-0b5fc0a5-1b7f-4f7b-9a52-0123456789ab`;

  it('are in columns, with short ids, and name a root only where an id is in several', () => {
    const logs = [
      log('/mesos/runs/d0bf642d-fb61/checkpoints', web(0), 'web', 0),
      log('/mesos/runs/d0bf6999-1111/checkpoints', web(0), 'a\u001b', 12),
      log('/mesos/runs/00000000-1111/checkpoints', web(1), 'web', 0),
    ];
    expect(alignedPrefixes(logs, { ...style, paint: PLAIN })).toEqual([
      'd0bf642d www/prod/web/0/0b5fc0a5 web 0  | ',
      'd0bf6999 www/prod/web/0/0b5fc0a5 a\\e 12 | ',
      '         www/prod/web/1/0b5fc0a5 web 0  | ',
    ]);
  });
});

describe('lineText', () => {
  const red = { ...style, paint: { ...PLAIN, red: (text: string) => `<${text}>` } };

  it('marks spans, and escapes what a terminal would obey or reorder', () => {
    const line = 'a\u001b[1m\tb\r\u202eü\u200d';
    expect(lineText(line, { escapes: true, spans: [[0, 2]] }, red)).toBe('<a\\e>[1m\tb\\r\\u{202e}ü\u200d');
    expect(lineText(line, { escapes: false, spans: [] }, red)).toBe(line);
  });
});

it('a time is as wide as none on a terminal', () => {
  expect(stampText(0, style)).toBe('1970-01-01T00:00:00.000Z');
  expect(stampText(undefined, style)).toBe('-                       ');
  expect(stampText(undefined, { ...style, tty: false })).toBe('-');
});

it.each([
  [{ kind: 'empty' as const }, '0 lines'],
  [{ kind: 'waiting' as const, logs: true, lines: false }, '0 lines so far; waiting for more'],
  [{ kind: 'waiting' as const, logs: true, lines: true }, 'no line matches so far; waiting for more'],
  [{ kind: 'waiting' as const, logs: false, lines: false }, 'no log so far; waiting for one'],
  [
    { kind: 'window' as const, window: { since: 0 }, left_out: 0 },
    'lines have no times: shown are runs and files written since 1970-01-01T00:00:00.000Z',
  ],
  [
    { kind: 'window' as const, window: { since: 5000, until: 60_000 }, left_out: 2, written_ms: 1000 },
    'lines have no times: shown are runs and files written since 1970-01-01T00:00:05.000Z until 1970-01-01T00:01:00.000Z; 2 logs are left out: the last line before was written by 1970-01-01T00:00:01.000Z',
  ],
  [
    { kind: 'no-arrival' as const },
    'no line has a time: only the arrival of lines that are followed is known',
  ],
  [{ kind: 'new-task' as const, task_id: 't' }, '==> t: new <=='],
  [
    { kind: 'not-started' as const, task_id: 't', processes: ['a', 'b'], over: false },
    'not started yet: a, b',
  ],
  [{ kind: 'not-started' as const, task_id: 't', processes: ['a'], over: true }, 'never started: a'],
  [
    { kind: 'restart' as const, task_id: 't', process: 'web', run: 0, state: 'KILLED', return_code: -9 },
    '==> web: run 0 KILLED (signal 9, SIGKILL), continuing with run 1 <==',
  ],
  [
    { kind: 'restart' as const, task_id: 't', process: 'web', run: 4, state: 'LOST' },
    '==> web: run 4 LOST, continuing with run 5 <==',
  ],
  [{ kind: 'truncated' as const, source: web }, '==> stderr of web, run 2, was truncated <=='],
  [{ kind: 'end' as const, task_id: 't', state: 'SUCCESS' }, '==> t: SUCCESS <=='],
  [{ kind: 'end' as const, task_id: 't', state: 'FAILED', process: 'web' }, '==> web: FAILED <=='],
])('%j', (event, text) => {
  expect(eventText(event)).toBe(text);
});

it.each([
  [{ kind: 'not-started' as const, task_id: 't', processes: ['a'], over: true }, 't: never started: a'],
  [
    { kind: 'restart' as const, task_id: 't', process: 'web', run: 4, state: 'LOST' },
    '==> t web: run 4 LOST, continuing with run 5 <==',
  ],
  [{ kind: 'truncated' as const, source: web }, '==> t stderr of web, run 2, was truncated <=='],
  [
    { kind: 'overtaken' as const, source: web },
    '==> t stderr of web, run 2, was rotated faster than it was read: lines may be missing <==',
  ],
  [{ kind: 'end' as const, task_id: 't', state: 'SUCCESS' }, '==> t: SUCCESS <=='],
  [{ kind: 'end' as const, task_id: 't', state: 'FAILED', process: 'web' }, '==> t web: FAILED <=='],
])('among several tasks, %j names its own', (event, text) => {
  expect(eventText(event, true)).toBe(text);
});

it('a path is one line, whatever is in it', () => {
  const path = {
    task_id: 't',
    process: 'w',
    run: 0,
    stream: 'stdout' as const,
    path: '/a\u001b/b\n/etc/shadow',
    bytes: 1,
  };
  expect(pathsText([path])).toBe('/a\\e/b\\n/etc/shadow\n');
});
