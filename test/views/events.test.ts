import { describe, expect, test } from 'vitest';
import type { TaskTransition } from '../../src/task/transition-watch.js';
import { widthOf } from '../../src/text/width.js';
import { EventLines } from '../../src/views/events.js';
import type { Style } from '../../src/views/parts/style.js';
import { PIPE, START, TTY, taskView } from './task-views.js';

const AURORA = 'www-data-prod-hello-0-6ba7b812-9dad-51d1-80b4-00c04fd430c8';

const { root } = taskView({});
const MORNING = Date.UTC(2014, 4, 13, 7, 5, 3, 120);

function drawn(style: Style, ...given: Partial<TaskTransition>[]): string[] {
  const lines = new EventLines(style);
  return given
    .map((each) => lines.text({ task_id: 't', root, time_ms: MORNING, state: 'ACTIVE', ...each }))
    .join('')
    .split('\n')
    .slice(0, -1);
}

const RUN = { task_id: AURORA, process: 'web', run: 2 };

test('on a pipe: all that is known, in six columns, none of them empty', () => {
  expect(
    drawn(
      PIPE,
      { task_id: AURORA },
      { ...RUN, state: 'RUNNING', pid: 12, time_ms: START },
      { ...RUN, state: 'FAILED', return_code: 7 },
      { ...RUN, state: 'LOST' },
      { state: 99 },
    ),
  ).toEqual([
    `2014-05-13T07:05:03.120Z  ACTIVE      ${AURORA}  -  -  -`,
    `${new Date(START).toISOString()}  RUNNING     ${AURORA}  web  2  pid 12`,
    `2014-05-13T07:05:03.120Z  FAILED      ${AURORA}  web  2  exit code 7`,
    `2014-05-13T07:05:03.120Z  LOST        ${AURORA}  web  2  -`,
    '2014-05-13T07:05:03.120Z  99          t  -  -  -',
  ]);
});

describe('on a terminal', () => {
  const today = { ...TTY, now: MORNING };

  test('times of day, short ids, in columns that get wider', () => {
    expect(
      drawn(
        today,
        {},
        { process: 'p', run: 0, state: 'FORKED' },
        { ...RUN, state: 'RUNNING', pid: 12 },
        { process: 'p', run: 0, state: 'SUCCESS', return_code: 0 },
      ),
    ).toEqual([
      '07:05:03  ACTIVE      t',
      '07:05:03  FORKED      t  p 0',
      '07:05:03  RUNNING     www-data-prod-hello-0-6ba7b812  web 2  pid 12',
      '07:05:03  SUCCESS     t                               p 0    exit code 0',
    ]);
  });

  test('a line for each other day', () => {
    const day = 86_400_000;
    expect(drawn(today, { time_ms: MORNING - day }, {}, {}, { time_ms: MORNING + day })).toEqual([
      '2014-05-12',
      '07:05:03  ACTIVE      t',
      '2014-05-13',
      '07:05:03  ACTIVE      t',
      '07:05:03  ACTIVE      t',
      '2014-05-14',
      '07:05:03  ACTIVE      t',
    ]);
  });

  test('how a process ended is said briefly before an id is cut', () => {
    const killed = { ...RUN, state: 'KILLED', return_code: -9 } as const;
    expect(drawn(today, killed, { ...killed, process: 'web-server' })).toEqual([
      '07:05:03  KILLED      www-data-prod-hello-0-6ba7b812  web 2  signal 9, SIGKILL',
      '07:05:03  KILLED      www-data-prod-hello-0-6ba7b812  web-server 2  SIGKILL',
    ]);
  });

  test('ids of instances that differ only in the rest of their uuids stay different', () => {
    const [a, b] = drawn(today, { task_id: AURORA }, { task_id: `${AURORA.slice(0, -1)}9` });
    expect(a).not.toBe(b);
  });

  test.each([40, 60, 80])('of %d columns, no line is longer', (width) => {
    const long = { task_id: 'i'.repeat(100), process: 'p'.repeat(100), run: 10 };
    const killed = { ...RUN, state: 'FAILED', return_code: 137 } as const;
    const lines = drawn(
      { ...today, width },
      { task_id: long.task_id },
      { ...long, state: 'FAILED', return_code: 1 },
      killed,
      { process: 'p', run: 0, state: 'SUCCESS', return_code: 0 },
      killed,
      { task_id: '漢'.repeat(60), process: '字'.repeat(9), run: 1, state: 'RUNNING', pid: 1 },
    );
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
    expect(lines[0]).toContain('…');
    if (width === 80) expect(lines[4]).toMatch(/ {2}www-data-prod-hello-0-6ba7b812 +web 2 {2}exit code 137$/);
  });
});
