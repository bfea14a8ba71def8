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

test('on a narrow terminal paths are whole all the same', () => {
  const text = rootsView({ roots, problems: [] }, { ...PIPE, width: 50 });
  expect(text).toBe(rootsView({ roots, problems: [] }, PIPE));
});
