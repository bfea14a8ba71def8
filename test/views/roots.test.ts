import { expect, test } from 'vitest';
import { PLAIN } from '../../src/views/parts/paint.js';
import type { Style } from '../../src/views/parts/style.js';
import { rootsView } from '../../src/views/roots.js';

const PIPE: Style = { width: undefined, tty: false, colour: 0, unicode: true, now: 0, paint: PLAIN };
const roots = [
  { path: '/var/run/thermos', layout: 'host' as const, source: 'default', tasks: 12, readable: true },
  {
    path: '/srv/a b\n\u001b[31m',
    layout: 'mesos' as const,
    source: '--mesos-root',
    tasks: 1,
    readable: false,
  },
];

test('a row a root; control characters are escaped', () => {
  expect(rootsView({ roots, problems: [] }, PIPE)).toBe(
    [
      'PATH              LAYOUT  SOURCE        TASKS  READABLE',
      '/var/run/thermos  host    default          12  yes',
      '/srv/a b\\n\\e[31m  mesos   --mesos-root      1  no',
      '',
    ].join('\n'),
  );
});

test('no roots: nothing', () => {
  expect(rootsView({ roots: [], problems: [] }, PIPE)).toBe('');
});

test('on a terminal that is too narrow the paths come last, whole', () => {
  const long = { ...roots[0], path: `/${'p'.repeat(300)}` } as (typeof roots)[number];
  const many = Array.from({ length: 250 }, (_, i) => ({ ...long, path: `${long.path}/${i}` }));
  const style = { ...PIPE, width: 80, tty: true };
  expect(rootsView({ roots, problems: [] }, style)).toBe(rootsView({ roots, problems: [] }, PIPE));
  expect(rootsView({ roots: [...roots, long], problems: [] }, style)).toBe(
    [
      'LAYOUT  SOURCE        TASKS  READABLE  PATH',
      'host    default          12  yes       /var/run/thermos',
      'mesos   --mesos-root      1  no        /srv/a b\\n\\e[31m',
      `host    default          12  yes       /${'p'.repeat(300)}`,
      '',
    ].join('\n'),
  );
  for (const width of [1, 40, 80, 400]) {
    const text = rootsView({ roots: many, problems: [] }, { ...style, width });
    for (const { path } of many) expect(text).toMatch(new RegExp(`(?:^|  )${path}(?:  |$)`, 'm'));
  }
});
