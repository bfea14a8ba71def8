import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GUARDS, type GuardContext, type Item, objection } from '../../src/gc/guards.js';

const ITEM: Item = {
  kind: 'data',
  task_id: 't',
  key: {},
  layout: 'host',
  root: '/root/thermos',
  path: '/srv/work/t',
  home: '/srv/work/t',
  dev: 1,
  ino: 2,
  uid: 1000,
  isDirectory: true,
  authors: [],
  shown: { by: 'logs' },
};

const LOOK: GuardContext = {
  euid: 0,
  protectedPaths: { homes: [], mountPoints: [], roots: ['/root/thermos'] },
  claims: { on: () => undefined },
  newcomer: () => undefined,
  others: { owning: () => undefined },
  usage: { of: () => undefined },
};

const NO_EVIDENCE = { why: 'it does not hold the logs of p/0', others: false };

/** Each guard, by something that only it objects to. */
const CASES: [string, Partial<Item>, Partial<GuardContext>, object][] = [
  ['directory', { isDirectory: false }, {}, { verdict: 'refused', why: 'it is not a directory' }],
  ['system', { path: '/etc/t' }, {}, { verdict: 'refused' }],
  [
    'home',
    {},
    { protectedPaths: { ...LOOK.protectedPaths, homes: ['/srv/work/t/me'] } },
    { verdict: 'refused' },
  ],
  [
    'mount',
    {},
    { protectedPaths: { ...LOOK.protectedPaths, mountPoints: ['/srv/work/t'] } },
    { holds: true },
  ],
  ['root', { path: '/root/thermos/tasks' }, {}, { why: 'it is a part of the task root /root/thermos' }],
  [
    'claim',
    {},
    { claims: { on: () => ({ path: '/srv/work', by: 'task u' }) } },
    { why: 'task u uses /srv/work' },
  ],
  ['other-root', {}, { others: { owning: () => 'it is a task root' } }, { why: 'it is a task root' }],
  ['evidence', { shown: { why: 'x', others: true } }, {}, { verdict: 'refused', why: 'x' }],
  [
    'evidence',
    { shown: NO_EVIDENCE },
    {},
    { verdict: 'kept', holds: true, hint: expect.stringContaining('--sandbox /srv/work/t,') },
  ],
  ['owner', { authors: [5] }, {}, { verdict: 'refused' }],
  [
    'use',
    {},
    { usage: { of: () => ({ pid: 7, how: 'works in it' }) } },
    { why: 'process 7 works in it', holds: true },
  ],
];

describe.each(['plan', 'again'] as const)('asked in %s', (when) => {
  test('nothing speaks against what is the task’s', () => {
    expect(objection(when, ITEM, LOOK)).toBeUndefined();
  });

  test.each(CASES)('%s', (name, item, look, expected) => {
    const asked = { ...ITEM, ...item };
    const around = { ...LOOK, ...look };
    expect(objection(when, asked, around)).toMatchObject(expected);
    expect(
      objection(
        when,
        asked,
        around,
        GUARDS.filter((guard) => guard.name !== name),
      ),
    ).toBeUndefined();
  });
});

test('each guard has a case', () => {
  expect([...new Set(CASES.map(([name]) => name))]).toEqual(GUARDS.map(({ name }) => name));
});

test('what came since the plan is asked about only then', () => {
  const look = { ...LOOK, newcomer: () => 'task late, which has just started, uses /srv/work/t' };
  expect(objection('plan', ITEM, look)).toBeUndefined();
  expect(objection('again', ITEM, look)).toMatchObject({ verdict: 'refused' });
});

test('the words of an odd path are one word of a shell', () => {
  const shown = objection(
    'plan',
    { ...ITEM, kind: 'logs', home: "/srv/it's here", shown: NO_EVIDENCE },
    LOOK,
  );
  expect(shown?.hint).toContain(`--sandbox '/srv/it'\\''s here' --keep-data`);
});

test('what is objected to in the plan is objected to again, if nothing changed', () => {
  const item = fc.record({
    isDirectory: fc.boolean(),
    path: fc.constantFrom(
      '/',
      '/etc/x',
      '/srv/work/t',
      '/root/thermos/sandboxes/t',
      '/root/thermos/sandboxes/u',
    ),
    uid: fc.constantFrom(0, 5),
    authors: fc.constantFrom<readonly number[]>([], [5]),
    shown: fc.constantFrom<Item['shown']>({ by: 'mark' }, { by: 'logs' }, NO_EVIDENCE, {
      why: 'x',
      others: true,
    }),
  });
  fc.assert(
    fc.property(item, (given) => {
      const asked = { ...ITEM, ...given };
      expect(objection('again', asked, LOOK)).toEqual(objection('plan', asked, LOOK));
    }),
  );
});
