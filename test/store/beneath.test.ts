import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errnoOf } from '../../src/errors/errors.js';
import { type BeneathOptions, MOST_LEVELS, TreeBeneath } from '../../src/store/beneath.js';
import { tempDir } from '../e2e/harness.js';

const AS_ROOT = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, groups: () => [65_534] };

let temp: ReturnType<typeof tempDir>;
let top: string;
let tree: TreeBeneath | undefined;
beforeEach(() => {
  temp = tempDir();
  top = join(temp.path, 'top');
  mkdirSync(join(top, 'logs', 'web'), { recursive: true });
  writeFileSync(join(top, 'logs', 'web', 'out'), 'inside');
  writeFileSync(join(temp.path, 'secret'), 'outside');
});
afterEach(() => {
  tree?.close();
  tree = undefined;
  temp.remove();
});

function open(options: Partial<BeneathOptions> = {}): TreeBeneath {
  tree = new TreeBeneath(top, { below: top, ...options });
  return tree;
}

const names = (path: string) => path.split('/');

/** What the path leads to, as `cat` reads it; the code of the error if it is refused. */
function read(path: string, options: Partial<BeneathOptions> = {}): string {
  let opened: TreeBeneath | undefined;
  try {
    opened = new TreeBeneath(top, { below: top, ...options });
    const found = opened.look(names(path), true);
    if (found === undefined) return 'absent';
    const file = opened.open(found.names);
    try {
      return file.read(100).toString();
    } finally {
      file.close();
    }
  } catch (error) {
    return errnoOf(error) ?? String(error);
  } finally {
    opened?.close();
  }
}

describe('a path in the tree', () => {
  test.each([
    ['logs/web/out', 'inside'],
    ['./logs//web/./out', 'inside'],
    ['logs/../logs/web/out', 'inside'],
    ['logs/nothing', 'absent'],
    ['nothing/out', 'ENOENT'],
    ['logs/web/out/below', 'ENOTDIR'],
    ['../secret', 'ELINK'],
    ['logs/../../secret', 'ELINK'],
    ['logs', 'ENOTREG'],
  ])('%s: %s', (path, found) => {
    expect(read(path)).toBe(found);
  });
});

describe('a link', () => {
  test.each([
    ['logs/web/out', 'inside'],
    ['logs/../logs/web/out', 'inside'],
    ['../secret', 'ELINK'],
    ['logs/../../secret', 'ELINK'],
    ['/etc/passwd', 'ELINK'],
    ['logs/nothing', 'absent'],
    ['link', 'ELOOP'],
  ])('to %s: %s', (target, found) => {
    symlinkSync(target, join(top, 'link'));
    expect(read('link')).toBe(found);
  });

  test('to a directory is followed on the way, and up from there leads up from where it led to', () => {
    symlinkSync('logs/web', join(top, 'link'));
    expect(read('link/out')).toBe('inside');
    expect(read('link/../web/out')).toBe('inside');
  });

  test('with an absolute target leads to what that is in the tree', () => {
    symlinkSync('/seen/by/task/logs/web/out', join(top, 'logs', 'link'));
    const inside = (path: string) =>
      path.startsWith('/seen/by/task/') ? path.slice('/seen/by/task/'.length).split('/') : undefined;
    expect(read('logs/link', { inside })).toBe('inside');
    symlinkSync('/seen/by/task/../../secret', join(top, 'up'));
    expect(read('up', { inside })).toBe('ELINK');
  });

  test('is not followed if it is only looked at', () => {
    symlinkSync('/etc/passwd', join(top, 'link'));
    expect(open().look(['link'], false)?.target).toBe('/etc/passwd');
  });

  test('is not opened, also if it was a file before', () => {
    symlinkSync('/etc/passwd', join(top, 'link'));
    expect(() => open().open(['link'])).toThrow(expect.objectContaining({ code: 'ELINK' }));
  });
});

test('a directory that is replaced by a link while it is open is still the one that was walked to', () => {
  const opened = open();
  expect(opened.look(names('logs/web/out'), true)).toBeDefined();
  renameSync(join(top, 'logs'), join(top, 'moved'));
  mkdirSync(join(temp.path, 'other', 'web'), { recursive: true });
  writeFileSync(join(temp.path, 'other', 'web', 'out'), 'outside');
  symlinkSync('../other', join(top, 'logs'));
  const file = opened.open(names('logs/web/out'));
  expect(file.read(100).toString()).toBe('inside');
  file.close();
});

test('a link that comes and goes never leads out', async () => {
  mkdirSync(join(temp.path, 'other', 'web'), { recursive: true });
  writeFileSync(join(temp.path, 'other', 'web', 'out'), 'outside');
  const swap = `cd '${top}'; while :; do mv logs l; ln -s ../other logs; rm logs; mv l logs; done`;
  const swapper = spawn('sh', ['-c', swap], { stdio: 'ignore' });
  try {
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) seen.add(read('logs/web/out'));
    expect(seen).not.toContain('outside');
    expect(seen).not.toContain('EINVAL');
  } finally {
    const gone = new Promise((resolve) => swapper.once('exit', resolve));
    swapper.kill('SIGKILL');
    await gone;
  }
});

test('lists what is there, with bytes that are no text and targets of links', () => {
  writeFileSync(Buffer.from(`${top}/\xff\n`, 'latin1'), 'x');
  symlinkSync('nowhere', join(top, 'link'));
  const { entries, complete } = open().list([], 10);
  expect(complete).toBe(true);
  expect(entries.map(({ names: way, target }) => [way.join('/'), target]).sort()).toEqual([
    ['link', 'nowhere'],
    ['logs', undefined],
    ['\xff\n', undefined],
  ]);
  expect(open().open(['\xff\n']).read(10).toString()).toBe('x');
});

test('lists no more than it is told to', () => {
  for (let i = 0; i < 5; i++) writeFileSync(join(top, String(i)), '');
  const { entries, complete } = open().list([], 3);
  expect([entries.length, complete]).toEqual([3, false]);
  expect(open().kinds([], 6)).toMatchObject({ complete: true });
});

test('goes only so deep', () => {
  const deep = Array.from({ length: MOST_LEVELS + 1 }, () => 'd');
  mkdirSync(join(top, ...deep), { recursive: true });
  expect(open().list(deep.slice(1), 1).complete).toBe(true);
  expect(() => open().list(deep, 1)).toThrow(expect.objectContaining({ code: 'ENAMETOOLONG' }));
});

test('a link on the way to the top is not followed below the base', () => {
  symlinkSync('top', join(temp.path, 'link'));
  expect(() => new TreeBeneath(join(temp.path, 'link'), { below: temp.path })).toThrow(
    expect.objectContaining({ code: 'ELINK' }),
  );
});

describe.runIf(AS_ROOT)('on behalf of a user', () => {
  test('root reads what the user could read', () => {
    expect(read('logs/web/out', { as: NOBODY })).toBe('inside');
  });

  test.each([
    ['a file that is closed to them', () => chmodSync(join(top, 'logs', 'web', 'out'), 0o600)],
    ['what is in a directory that they may not enter', () => chmodSync(join(top, 'logs'), 0o700)],
    ['what is in a tree that they may not come to', () => chmodSync(temp.path, 0o700)],
  ])('root does not read %s', (_, close) => {
    close();
    expect(read('logs/web/out', { as: NOBODY })).toBe('ENOTREADER');
  });

  test('root does not read a second name of a file that is closed to them', () => {
    chmodSync(join(temp.path, 'secret'), 0o600);
    linkSync(join(temp.path, 'secret'), join(top, 'name'));
    expect(read('name', { as: NOBODY })).toBe('ENOTREADER');
    chownSync(join(temp.path, 'secret'), NOBODY.uid, NOBODY.uid);
    expect(read('name', { as: NOBODY })).toBe('outside');
  });

  test('root does not list a directory that they could not list', () => {
    chmodSync(join(top, 'logs'), 0o711);
    expect(read('logs/web/out', { as: NOBODY })).toBe('inside');
    expect(() => open({ as: NOBODY }).list(['logs'], 10)).toThrow(
      expect.objectContaining({ code: 'ENOTREADER' }),
    );
  });
});

test('nothing stays open', () => {
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  for (let i = 0; i < 20; i++) {
    read('logs/web/out');
    read('../secret');
    read('logs');
  }
  rmSync(top, { recursive: true });
  expect(() => new TreeBeneath(top, { below: top })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  expect(count()).toBe(before);
});
