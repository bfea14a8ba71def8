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
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkOwnership, refuseStrangers } from '../../src/lifecycle/trust.js';
import { Directories } from '../../src/store/directories.js';
import { directoriesTo } from '../../src/store/ownership.js';

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

  const why = (uid: number | undefined = me) => checkOwnership({ root, taskId: 't' }, uid)?.message;

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
      expect(checkOwnership({ root: '/', taskId: 't' }, me)).toBe(undefined);
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
    expect(checkOwnership({ root: `${root}/above/root`, taskId: 't' }, 0)?.message).toContain(
      `${root}/above belongs to uid 4711`,
    );
  });

  test('a root that somebody else may exchange is refused', () => {
    const directories = new Directories();
    expect(refuseStrangers(root, directoriesTo(root, ['tasks'], directories), me)).toBe(undefined);
    chmodSync(root, 0o777);
    expect(() => refuseStrangers(root, directoriesTo(root, ['tasks'], directories), me)).toThrow(
      `the root ${root} is not used, because somebody else could replace what is in it: ${root} can be written by everybody`,
    );
    directories.close();
  });
});
