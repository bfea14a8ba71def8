import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EvidenceReader, evidenceOf, isLogPath, type Question } from '../../src/gc/evidence.js';
import { SANDBOX_MARK } from '../../src/layout/sandbox-mark.js';

const MARK = { task_id: 't', root: '/root', dev: 1, ino: 2 };
const QUESTION: Question = {
  task_id: 't',
  own: '/root/sandboxes/t',
  path: '/srv/t',
  home: '/srv/t',
  logDir: '/srv/t/.logs',
  ran: ['p/0', 'q/3'],
  uid: 1000,
  copied: false,
};
const LOGS = ['/srv/t/.logs/p/0/stdout', '/srv/t/.logs/q/3/stderr'];

interface Disk extends Partial<EvidenceReader> {
  files?: readonly string[];
}

/** Nothing is there but the files. */
function look({ files = [], ...rest }: Disk = {}): EvidenceReader {
  return {
    euid: 0,
    confirmed: new Set(),
    ownMark: () => MARK,
    mark: () => undefined,
    owner: () => 1000,
    isFile: (path) => files.includes(path),
    isEmpty: () => false,
    isThere: () => false,
    ...rest,
  };
}

const marked = (mark: object = {}, uid = 1000, nlink = 1) => ({
  mark: (directory: string) =>
    directory === '/srv/t' ? { mark: { ...MARK, ...mark }, uid, nlink } : undefined,
});

describe('what shows that a directory is the task’s', () => {
  test.each([
    ['its place', { path: '/root/sandboxes/t/.logs' }, {}, 'place'],
    ['the person', {}, { confirmed: new Set(['/srv/t']) }, 'confirmed'],
    [
      'the person, of the sandbox that the logs are in',
      { path: '/srv/t/.logs' },
      { confirmed: new Set(['/srv/t']) },
      'confirmed',
    ],
    ['the mark', {}, marked(), 'mark'],
    ['the mark of root’s run', {}, marked({}, 0), 'mark'],
    ['the logs of all that ran', {}, { files: LOGS }, 'logs'],
  ])('%s', (_, question, disk, by) => {
    expect(evidenceOf({ ...QUESTION, ...question }, look(disk as Disk))).toEqual({ by });
  });

  test.each([
    ['nothing', {}, {}, /does not hold the logs of p\/0/],
    ['the logs of one of two', {}, { files: LOGS.slice(0, 1) }, /does not hold the logs of q\/3/],
    ['logs elsewhere', { logDir: '/srv/u/.logs' }, { files: LOGS }, /logs of the task are not in it/],
    ['no process ran', { ran: [] }, { files: LOGS }, /no process of the task ran/],
    ['a copied checkpoint', { copied: true }, { files: LOGS }, /checkpoint was copied/],
    ['a mark with a second name', {}, marked({}, 1000, 2), /does not hold/],
    ['a mark that somebody else wrote', {}, marked({}, 5), /does not hold/],
    ['a mark in a directory of somebody else', {}, { ...marked(), owner: () => 5 }, /does not hold/],
    [
      'a mark of another inode, logs or not',
      {},
      { ...marked({ ino: 9 }), files: LOGS },
      /its mark names task t/,
    ],
    ['the person named what is around it', {}, { confirmed: new Set(['/srv']) }, /does not hold/],
  ])('not: %s', (_, question, disk, why) => {
    expect(evidenceOf({ ...QUESTION, ...question }, look(disk as Disk))).toMatchObject({
      why: expect.stringMatching(why),
      others: false,
    });
  });

  test('a mark of a task that is there makes it that task’s, whatever the person says', () => {
    const disk = {
      ...marked({ root: '/other' }),
      isThere: () => true,
      confirmed: new Set(['/srv/t']),
      files: LOGS,
    };
    expect(evidenceOf(QUESTION, look(disk))).toEqual({
      why: 'it is the sandbox of task t of the root /other',
      others: true,
    });
  });

  test('what is empty shows nothing, and holds nothing', () => {
    expect(evidenceOf(QUESTION, look({ isEmpty: () => true }))).toMatchObject({ empty: true, others: false });
  });

  test('without the place, the person, the mark or the logs there is none', () => {
    const segment = fc.constantFrom('root', 'sandboxes', 't', 'u', 'srv', '.logs');
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);
    fc.assert(
      fc.property(path, path, path, fc.boolean(), (home, logDir, confirmed, copied) => {
        const question = { ...QUESTION, home, path: home, logDir, copied };
        const shown = evidenceOf(question, look({ confirmed: new Set([confirmed]) }));
        const own = `${home}/`.startsWith('/root/sandboxes/t/');
        expect('by' in shown).toBe(own || confirmed === home);
      }),
    );
  });
});

test.each([
  [['p'], true, true],
  [['p', '0'], true, true],
  [['p', '0', 'stdout'], false, true],
  [['p', '12', 'stderr.3'], false, true],
  [['p'], false, false],
  [['p', 'x'], true, false],
  [['p', '0', 'core'], false, false],
  [['p', '0', 'stdout'], true, false],
  [['p', '0', 'stdout', 'x'], false, false],
])('%j, a directory: %s, is a log: %s', (names, directory, expected) => {
  expect(isLogPath(names, directory)).toBe(expected);
});

test('the mark of a removal that was interrupted is no foreign thing among the logs', () => {
  expect(isLogPath([SANDBOX_MARK], false)).toBe(true);
  expect(isLogPath([SANDBOX_MARK, '0'], true)).toBe(true);
});
