import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findLoosely, findTasks } from '../../../src/discovery/find.js';
import { shortIds } from '../../../src/views/parts/short-ids.js';
import { foundTask } from '../../task/trees.js';

const UUID = 'ea0c7ddc-e10c-56ed-8143-1cf3c547034e';

function short(id: string, user?: string, name?: string): string {
  return shortIds([id], [{ user, name }])[0] as string;
}

describe('the short form of an id', () => {
  test.each([
    ['of Aurora', `www-data-prod-web-0-${UUID}`, 'www-data', 'web', 'www-data/prod/web/0/ea0c7ddc'],
    ['with dashes in all names', `a-b-c-d-e-f-12-${UUID}`, 'a-b', 'e-f', 'a-b/c-d/e-f/12/ea0c7ddc'],
    [
      'of an old Aurora, which began with the time',
      `1412345678901-www-data-prod-site-4-${UUID}`,
      'www-data',
      'site',
      'www-data/prod/site/4/ea0c7ddc',
    ],
  ])('%s', (_, id, user, name, expected) => {
    expect(short(id, user, name)).toBe(expected);
    expect(id).toContain(`${expected.replaceAll('/', '-')}-`);
  });

  test('has the names separated only where the task has them recorded', () => {
    const id = `www-data-prod-web-0-${UUID}`;
    const start = 'www-data-prod-web-0-ea0c7ddc';
    for (const [user, name] of [
      [undefined, undefined],
      ['www-data', undefined],
      ['root', 'web'],
      ['www-data', 'other'],
      ['www-data', 'prod-web'],
      ['www-data-prod-web', 'web'],
      ['', ''],
    ]) {
      expect(short(id, user, name)).toBe(start);
    }
  });

  test.each([
    'hello-1',
    '',
    `${UUID}`,
    `0-${UUID}`,
    `web-${UUID}`,
    `web-0-${UUID.toUpperCase()}`,
    `${UUID}-0`,
  ])('of %j, which Aurora did not make, is the id', (id) => {
    expect(short(id, 'www-data', 'web')).toBe(id);
  });
});

describe('the short forms of many ids', () => {
  test('show more of the uuid where they would be equal', () => {
    const ids = [
      'w-p-web-0-11111111-2222-4333-8444-555555555555',
      'w-p-web-0-11111111-9999-4333-8444-555555555555',
      'w-p-web-0-11111111-9999-4333-8444-666666666666',
      'w-p-web-1-11111111-2222-4333-8444-555555555555',
      'w-p-web-1-11111111-2222-4333-8444-555555555555',
    ];
    expect(
      shortIds(
        ids,
        ids.map(() => ({ user: 'w', name: 'web' })),
      ),
    ).toEqual(['w/p/web/0/11111111-2222', ids[1], ids[2], 'w/p/web/1/11111111', 'w/p/web/1/11111111']);
  });

  test('differ by more than slashes, for the names of one task may not be known', () => {
    const ids = ['2222', '3333'].map((group) => `w-p-web-0-11111111-${group}-4333-8444-555555555555`);
    expect(
      shortIds(ids, [
        { user: 'w', name: 'web' },
        { user: 'root', name: 'web' },
      ]),
    ).toEqual(['w/p/web/0/11111111-2222', 'w-p-web-0-11111111-3333']);
  });

  test('are different for different ids, and find their tasks', () => {
    const part = fc.constantFrom('a', 'b', 'a-a', '0', '0-00000000');
    const uuid = fc
      .array(fc.constantFrom('0', '1'), { minLength: 5, maxLength: 5 })
      .map(([a = '', b = '', c = '', d = '', e = '']) =>
        [a.repeat(8), b.repeat(4), c.repeat(4), d.repeat(4), e.repeat(12)].join('-'),
      );
    const aurora = fc
      .tuple(fc.constantFrom('', '1412345678901-'), part, part, part, fc.nat(1), uuid)
      .map(([time, role, env, job, instance, id]) => `${time}${role}-${env}-${job}-${instance}-${id}`);
    const other = fc.tuple(part, part).map((parts) => parts.join('-'));
    const name = fc.option(part, { nil: undefined });
    const task = fc.record({ id: fc.oneof(aurora, other), user: name, name });
    fc.assert(
      fc.property(fc.array(task, { maxLength: 50 }), (tasks) => {
        const ids = tasks.map(({ id }) => id);
        const shown = shortIds(ids, tasks);
        const tasksHere = ids.map((id) => foundTask('/root', id));
        const found = (word: string) => {
          const strictly = findTasks(tasksHere, [word], 'look').tasks;
          const matching = strictly.length > 0 ? strictly : findLoosely(tasksHere, word);
          return matching.map(({ task_id }) => task_id);
        };
        const idOf = new Map<string, string>();
        for (const [i, id] of ids.entries()) {
          const form = shown[i] as string;
          expect(found(form)).toContain(id);
          expect(idOf.get(form) ?? id).toBe(id);
          idOf.set(form, id);
        }
      }),
    );
  });
});
