import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findLoosely, findTasks, type Mode } from '../../src/discovery/find.js';
import type { FoundTask, TaskRoot } from '../../src/discovery/found.js';
import { UsageError } from '../../src/errors/errors.js';

const ROOT: TaskRoot = { path: '/r', layout: 'host', source: 'test', readable: true };
const task = (task_id: string, root = ROOT): FoundTask => ({
  task_id,
  root,
  phase: 'active',
  checkpoint_dir: `${root.path}/checkpoints/${task_id}`,
  problems: [],
});

/** The ids that a word means among others, separated by blanks. */
function ids(all: string | string[], word: string, mode: Mode): string {
  const names = typeof all === 'string' ? all.split(' ') : all;
  return findTasks(
    names.map((name) => task(name)),
    [word],
    mode,
  )
    .tasks.map(({ task_id }) => task_id)
    .join(' ');
}
const look = (all: string | string[], word: string) => ids(all, word, 'look');
const change = (all: string | string[], word: string) => ids(all, word, 'change');

test('exactly: an id, and never a pattern, a beginning, or another id', () => {
  const exact = (all: string, word: string) => ids(all, word, 'exact');
  expect(exact('a.b axb', 'a.b')).toBe('a.b');
  expect(exact('axb', 'a.b')).toBe('');
  expect(exact('web-1 web-2', 'web-*')).toBe('');
  expect(exact('web-1', 'web')).toBe('');
  expect(exact('t', '(')).toBe('');
});

describe('to look', () => {
  test('an exact id wins', () => {
    expect(look('kk-1 kk-10 kk-2', 'kk-1')).toBe('kk-1');
    expect(look('a.b axb', 'a.b')).toBe('a.b');
    expect(look(['.*', 'x'], '.*')).toBe('.*');
  });

  test('a regular expression, anchored at the start', () => {
    expect(look('kk-1 kk-10 xkk-1', 'kk-\\d')).toBe('kk-1 kk-10');
    expect(look('web-1 web-2 db-1', '(web|db)-1$')).toBe('web-1 db-1');
    expect(look('b ab', 'b')).toBe('b');
    expect(look('a-x b-x', '.*-x')).toBe('a-x b-x');
    expect(look('a b', 'a|b')).toBe('a b');
    expect(look('b ab', 'x|b')).toBe('b');
    expect(look('a-b', 'a\\-b')).toBe('a-b');
  });

  test('a glob for the whole id, where the characters say so', () => {
    expect(look('web-1 web-22 webby', 'web-*')).toBe('web-1 web-22');
    expect(look('web-1 web-22', 'web-?')).toBe('web-1');
    expect(look('a-web-1 web-2', '*web*')).toBe('a-web-1 web-2');
    expect(look('www.prod.x www-prod-x', '*.prod.*')).toBe('www.prod.x');
  });

  test('a word that is not a glob for any of them is tried as a regular expression, and the other way round', () => {
    expect(look('hosttt', 'host*')).toBe('hosttt');
    expect(look('kkk other', 'kk*$')).toBe('kkk');
    expect(look('web.1x', 'web.?x')).toBe('web.1x');
  });

  test('the beginning of ids', () => {
    expect(look('host-ok-1 host-ok-2 other', 'host-ok')).toBe('host-ok-1 host-ok-2');
    expect(look(['a(b-1', 'a(b-2', 'x'], 'a(b')).toBe('a(b-1 a(b-2');
    expect(look(['q[1]-a'], 'q[1]')).toBe('q[1]-a');
    expect(look(['c++-1'], 'c++')).toBe('c++-1');
  });
});

const AURORA = [
  'www-data-prod-web-0-2f9c3a4e-7a52-4d0c-9b1e-5f3a8f6c1d20',
  'www-data-prod-web-10-8a1b2c3d-0000-4d0c-9b1e-5f3a8f6c1d21',
  'www-data-prod-web-api-0-11111111-7a52-4d0c-9b1e-5f3a8f6c1d22',
  'www-data-test-web-0-22222222-7a52-4d0c-9b1e-5f3a8f6c1d23',
];

describe('to look, when no stricter reading matches', () => {
  /** The places of the ids that the word means. */
  const loosely = (word: string) => {
    const found = findLoosely(
      AURORA.map((id) => task(id)),
      word,
    );
    return found.map(({ task_id }) => AURORA.indexOf(task_id)).join(' ');
  };

  test('any part of an id, such as a piece of its uuid', () => {
    expect(loosely('web')).toBe('0 1 2 3');
    expect(loosely('api')).toBe('2');
    expect(loosely('8a1b2c3d')).toBe('1');
    expect(loosely('6c1d23')).toBe('3');
    expect(loosely('nope')).toBe('');
  });

  test("a job's key means the instances of that job, not those of a job whose name begins with it", () => {
    expect(loosely('www-data/prod/web')).toBe('0 1');
    expect(loosely('www-data/prod/web/')).toBe('0 1');
    expect(loosely('www-data/prod/web-api')).toBe('2');
    expect(loosely('www-data/prod/web/0')).toBe('0');
    expect(loosely('www-data/prod/web/1')).toBe('');
    expect(loosely('www-data/prod')).toBe('0 1 2');
    expect(loosely('www-data/pro')).toBe('');
    expect(loosely('data/prod/web')).toBe('');
  });

  test('an id as status shortens it, with the start of its uuid', () => {
    expect(loosely('www-data/prod/web/0/2f9c3a4e')).toBe('0');
    expect(loosely('www-data/prod/web/0/2f9c3a4e-7a52-4d')).toBe('0');
    expect(loosely(`www-data/prod/web-api/0/${AURORA[2]?.slice(-36)}`)).toBe('2');
    expect(loosely('www-data/prod/web/0/2f9c')).toBe('');
    const old = '1400000000000-www-data-prod-web-0-2f9c3a4e-7a52-4d0c-9b1e-5f3a8f6c1d20';
    for (const word of ['www-data/prod/web', 'www-data/prod/web/0', 'www-data/prod/web/0/2f9c3a4e']) {
      expect(findLoosely([task(old)], word)).toHaveLength(1);
    }
  });

  test('an id as status shortens it, also where the start of its uuid looks like an instance of another job', () => {
    const uuid = '00000000-0000-4000-8000-000000000000';
    const all = [`a-a-a-0-00000000-0-${uuid}`, `a-a-a-0-${uuid}`].map((id) => task(id));
    expect(findLoosely(all, 'a/a/a/0/00000000')).toEqual(all);
  });

  test("a job's key may have a cluster in front", () => {
    expect(loosely('west/www-data/prod/web')).toBe('0 1');
    expect(loosely('west/www-data/prod/web/10')).toBe('1');
    expect(loosely('west/www-data/prod')).toBe('');
  });

  test.each([
    '/www-data/prod/web',
    './www-data/prod/web',
    '../www-data/prod',
    'www-data//web',
    'www-data/*/web',
  ])('%s is not a key', (word) => expect(loosely(word)).toBe(''));

  test('a word is compared letter by letter, whatever it means in a pattern', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 })), fc.string({ minLength: 1 }), (all, word) => {
        const found = findLoosely(
          all.map((id) => task(id)),
          word,
        );
        const parts = all.filter((id) => id.includes(word));
        if (!word.includes('/')) expect(found.map(({ task_id }) => task_id)).toEqual(parts);
      }),
    );
  });
});

describe('to change', () => {
  test('kk-1 is never kk-10', () => {
    expect(change('kk-1 kk-10', 'kk-1')).toBe('kk-1');
    expect(change('kk-10 kk-11', 'kk-1')).toBe('');
    expect(change('kk-10 xkk-1', '.*kk-1')).toBe('xkk-1');
    expect(change('kk-1 kk-10', 'kk-\\d')).toBe('kk-1');
    expect(change('a b ab', 'a|b')).toBe('a b');
  });

  test('a glob is nothing else', () => {
    expect(change('kk kk- kk-1 kk-10', 'kk-*')).toBe('kk- kk-1 kk-10');
    expect(change('kk', 'kk-*')).toBe('');
    expect(change('a b', '*')).toBe('a b');
  });

  test('a regular expression is nothing else', () => {
    expect(change('web.1 webby', 'web.*')).toBe('web.1 webby');
    expect(change(['a', 'a\nb'], '.*')).toBe('a a\nb');
    expect(change('xaxb', 'x[a-c]*b')).toBe('');
  });

  test('an id in two roots is an error that names them, for looking it is two tasks', () => {
    const tasks = [task('a'), task('a', { ...ROOT, path: '/s' }), task('b')];
    expect(() => findTasks(tasks, ['a'], 'change')).toThrow('task a is in 2 roots: /r, /s');
    expect(() => findTasks(tasks, ['.*'], 'change')).toThrow(UsageError);
    expect(findTasks(tasks, ['b'], 'change').tasks).toHaveLength(1);
    expect(findTasks(tasks, ['a'], 'look').tasks).toHaveLength(2);
  });

  test('for any ids and any word that is not a pattern: the id itself or nothing', () => {
    const word = fc.stringMatching(/^[a-z0-9_-]{1,6}$/);
    fc.assert(
      fc.property(fc.uniqueArray(word), word, (all, one) => {
        expect(change(all, one)).toBe(all.includes(one) ? one : '');
      }),
    );
  });
});

describe('words', () => {
  test('each task once, in the order of the tasks', () => {
    const tasks = ['c', 'a', 'b'].map((name) => task(name));
    const match = findTasks(tasks, ['b', '[ab]', 'b', 'c'], 'look');
    expect(match.tasks).toEqual(tasks);
    expect(match.unmatched).toEqual([]);
  });

  test('words that match nothing are reported, with similar ids', () => {
    const tasks = ['www-prod-hello-0', 'www-prod-api-0', 'db'].map((name) => task(name));
    expect(findTasks(tasks, ['hello', 'www-prod-helo-0', 'zzz', 'dB'], 'change').unmatched).toEqual([
      { word: 'hello', near: ['www-prod-hello-0'] },
      { word: 'www-prod-helo-0', near: ['www-prod-hello-0'] },
      { word: 'zzz', near: [] },
      { word: 'dB', near: ['db'] },
    ]);
    expect(findTasks([], ['a'], 'look')).toEqual({ tasks: [], unmatched: [{ word: 'a', near: [] }] });
    const many = Array.from({ length: 20 }, (_, i) => task(`task-${i}`));
    expect(findTasks(many, ['ask'], 'change').unmatched[0]?.near).toHaveLength(5);
  });

  test.each(['(', '[', 'a{2,1}', '+', 'x)', 'a)|(b'])('%s is not a pattern', (word) => {
    for (const mode of ['look', 'change'] as const) {
      let thrown: unknown;
      try {
        ids('a b', word, mode);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(UsageError);
      expect(thrown).toMatchObject({ code: 'bad-pattern', exitCode: 2 });
      expect((thrown as Error).message).toMatch(`'${word}' is neither a task here nor a valid pattern: `);
    }
  });

  test('an invalid regular expression that is a glob or an id counts as that', () => {
    expect(look('x(1 y', '*(1')).toBe('x(1');
    expect(change('x(1 y', '*(1')).toBe('x(1');
    expect(change('( y', '(')).toBe('(');
  });

  test('the message says what is wrong, without repeating the pattern', () => {
    expect(() => look('a', 'x(y')).toThrow(/: Unterminated group$/);
  });

  test('an endless word is refused', () => {
    expect(() => look('a', 'a'.repeat(5000))).toThrow(
      'a word of 5000 characters is neither a task nor a pattern',
    );
  });

  test('any word over any ids gives tasks among them, or bad-pattern', () => {
    const words = fc.oneof(fc.string(), fc.stringMatching(/^[ab*?.[\]()|+\\^$!-]{0,8}$/));
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string()),
        words,
        fc.constantFrom<Mode>('look', 'change'),
        (all, word, mode) => {
          const tasks = all.map((name) => task(name));
          try {
            const match = findTasks(tasks, [word], mode);
            expect(match.tasks.every((found) => tasks.includes(found))).toBe(true);
            expect(match.tasks.length === 0).toBe(match.unmatched.length === 1);
            if (all.includes(word)) expect(match.tasks.map(({ task_id }) => task_id)).toEqual([word]);
          } catch (error) {
            expect(error).toMatchObject({ code: 'bad-pattern' });
          }
        },
      ),
    );
  });
});
