import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { distrust, findStranger, refuseStrangers, type Witness, wayTo } from '../../src/lifecycle/trust.js';
import { Directories } from '../../src/store/directories.js';

const noGroups = { isOnlyOf: () => false };
const file = (changes: Partial<Witness> = {}): Witness => ({
  path: '/f',
  uid: 7,
  gid: 7,
  mode: 0o644,
  nlink: 1,
  isDirectory: false,
  isLink: false,
  isAbove: false,
  ...changes,
});
const seen = (changes: Partial<Witness>, groups = noGroups) =>
  findStranger([file(changes)], new Set([0, 7]), groups)?.what;

describe('findStranger', () => {
  test("believes the task's user and root", () => {
    expect(seen({})).toBe(undefined);
    expect(seen({ uid: 0 })).toBe(undefined);
    expect(seen({ uid: 8 })).toBe('belongs to uid 8');
  });

  test('believes nobody who may write', () => {
    expect(seen({ uid: 0, mode: 0o666 })).toBe('can be written by everybody');
    expect(seen({ uid: 0, mode: 0o664, gid: 9 })).toBe('can be written by group 9');
    expect(seen({ mode: 0o664 }, { isOnlyOf: () => true })).toBe(undefined);
    expect(seen({ mode: 0o666 }, { isOnlyOf: () => true })).toBe('can be written by everybody');
  });

  test('believes no file that has another name, where somebody else may write it', () => {
    expect(seen({ nlink: 2 })).toBe('has 2 names (hard links)');
    expect(seen({ nlink: 2, isDirectory: true })).toBe(undefined);
  });

  test('lets everybody write to a directory above the root only if names in it can not be taken away', () => {
    const tmp = { path: '/tmp', uid: 0, isDirectory: true, mode: 0o1777 };
    expect(seen({ ...tmp, isAbove: true })).toBe(undefined);
    expect(seen({ ...tmp, isAbove: false })).toBe('can be written by everybody');
    expect(seen({ ...tmp, isAbove: true, mode: 0o777 })).toBe('can be written by everybody');
    expect(seen({ ...tmp, isAbove: true, uid: 8 })).toBe('belongs to uid 8');
  });

  test('whoever is not trusted and may write is found, whatever else there is', () => {
    const arbitrary = fc.record({
      path: fc.constant('/x'),
      uid: fc.constantFrom(0, 7, 8),
      gid: fc.constantFrom(0, 7, 8),
      mode: fc.nat(0o1777),
      nlink: fc.integer({ min: 1, max: 3 }),
      isDirectory: fc.boolean(),
      isLink: fc.constant(false),
      isAbove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 5 }), (witnesses) => {
        const isSafe = ({ uid, mode, nlink, isDirectory, isAbove }: Witness) =>
          uid !== 8 &&
          (isDirectory || nlink === 1) &&
          ((mode & 0o022) === 0 || (isAbove && (mode & 0o1000) !== 0));
        expect(findStranger(witnesses, new Set([0, 7]), noGroups) === undefined).toBe(
          witnesses.every(isSafe),
        );
      }),
    );
  });
});

describe('on disk', () => {
  const me = process.getuid?.() as number;
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'thermos-trust-'));
    mkdirSync(`${root}/checkpoints/t`, { recursive: true });
    mkdirSync(`${root}/tasks/active`, { recursive: true });
    writeFileSync(`${root}/checkpoints/t/runner`, '');
    writeFileSync(`${root}/tasks/active/t`, '{}');
    execFileSync('chmod', ['-R', 'go-w', root]);
  });

  afterEach(() => rmSync(root, { recursive: true }));

  const why = (uid: number | undefined = me) => distrust({ root, taskId: 't' }, uid)?.message;

  test('what only we may write is believed', () => {
    expect(why()).toBe(undefined);
    expect(why(undefined)).toBe(undefined);
  });

  test.each([
    '',
    '/checkpoints',
    '/checkpoints/t',
    '/tasks',
    '/tasks/active',
    '/checkpoints/t/runner',
    '/tasks/active/t',
  ])('ROOT%s that everybody may write is not', (path) => {
    chmodSync(`${root}${path}`, 0o777);
    expect(why()).toBe(
      `task t runs as uid ${me}, but somebody else may have written its files: ${root}${path} can be written by everybody`,
    );
  });

  test('a stream with another name is not', () => {
    linkSync(`${root}/checkpoints/t/runner`, `${root}/elsewhere`);
    expect(why()).toContain('/runner has 2 names');
  });

  test('nor is what a link leads to', () => {
    mkdirSync(`${root}/other`);
    rmSync(`${root}/checkpoints/t`, { recursive: true });
    symlinkSync('../other', `${root}/checkpoints/t`);
    expect(why()).toContain('is a symbolic link');
  });

  test('a task file may be gone', () => {
    rmSync(`${root}/tasks`, { recursive: true });
    expect(why()).toBe(undefined);
  });

  test('what another user may write is not believed, above the root neither', () => {
    if (me !== 0) {
      // Nobody but root can give files away: of another user's we see only that they are refused.
      expect(distrust({ root: '/', taskId: 't' }, me)).toBe(undefined);
      return;
    }
    for (const path of ['/checkpoints/t/runner', '/tasks', '']) {
      chownSync(`${root}${path}`, 4711, 0);
      expect(why()).toContain(`${root}${path} belongs to uid 4711`);
      expect(why(4711)).toBe(undefined);
      chownSync(`${root}${path}`, 0, 0);
    }
    mkdirSync(`${root}/above`, { mode: 0o755 });
    mkdirSync(`${root}/above/root/checkpoints/t`, { recursive: true });
    chownSync(`${root}/above`, 4711, 0);
    expect(distrust({ root: `${root}/above/root`, taskId: 't' }, 0)?.message).toContain(
      `${root}/above belongs to uid 4711`,
    );
  });

  test('a root that somebody else may exchange is refused', () => {
    const directories = new Directories();
    expect(refuseStrangers(root, wayTo(root, ['tasks'], directories), me)).toBe(undefined);
    chmodSync(root, 0o777);
    expect(() => refuseStrangers(root, wayTo(root, ['tasks'], directories), me)).toThrow(
      `the root ${root} is not used, because somebody else could exchange what is in it: ${root} can be written by everybody`,
    );
    directories.close();
  });
});
