import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheName, compileCached, ownCacheDirectory } from '../../src/host/code-cache.js';
import { tempDir } from '../e2e/harness.js';

const SOURCE = {
  name: 'answer',
  id: 'a1b2c3d4e5f6a7b8',
  code: '(function () { return 42; })',
  options: { filename: 'answer.js' },
};
const NAME = cacheName(SOURCE);

let dir: ReturnType<typeof tempDir>;
let own: string;
let built: string;
beforeEach(() => {
  dir = tempDir();
  own = join(dir.path, 'home', 'thermos');
  built = join(dir.path, 'built');
  mkdirSync(join(dir.path, 'home'));
  mkdirSync(built);
});
afterEach(() => dir.remove());

/** Compiles, calls and keeps; true if a cache was used. */
function start(use = 'status', source = SOURCE): boolean {
  const { script, keep } = compileCached(source, { own, built });
  expect((script.runInThisContext() as () => number)()).toBe(42);
  keep(use);
  return script.cachedDataRejected === false;
}

const cache = () => join(own, NAME);

test('a cache is made by the first start and used by the next', () => {
  expect(start()).toBe(false);
  expect(readdirSync(own)).toEqual([NAME]);
  expect(statSync(own).mode & 0o777).toBe(0o700);
  expect(statSync(cache()).mode & 0o777).toBe(0o600);
  expect(start()).toBe(true);
});

test('its name tells the source and the Node', () => {
  const { node, v8 } = process.versions;
  expect(NAME).toContain(`answer-a1b2c3d4e5f6-node-v${node}-${process.platform}-${process.arch}-v8-${v8}-`);
});

test('its name tells the flags of V8', () => {
  // Whichever these are now: who evaluates a Python config in this process sets some.
  const { 0: tag } =
    new Script('')
      .createCachedData()
      .toString('hex')
      .match(/^.{32}/) ?? [];
  expect(cacheName(SOURCE)).toContain(`-${tag}.cache`);
});

test.each(['--no-opt', '--stack-size=1500', '--max-lazy'])('with the flag %s of V8 it is another', (flag) => {
  const script = `process.stdout.write(new (require('node:vm').Script)('').createCachedData().toString('hex', 0, 16))`;
  const tagOf = (...flags: string[]) => {
    return execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' });
  };
  expect(tagOf()).toMatch(/^[0-9a-f]{32}$/);
  expect(tagOf()).toBe(tagOf());
  expect(tagOf(flag)).not.toBe(tagOf());
});

test('what another use compiled is added, the same use again changes nothing', () => {
  start('status');
  const { ino } = statSync(cache());
  start('status');
  expect(statSync(cache()).ino).toBe(ino);
  start('inspect');
  expect(readFileSync(cache(), 'latin1')).toMatch(/\tstatus,inspect\n$/);
});

test('the cache of the build is used where there is none of ours, and never written', () => {
  start();
  renameSync(cache(), join(built, NAME));
  const before = readFileSync(join(built, NAME));
  expect(start('status')).toBe(true);
  expect(readdirSync(own)).toEqual([]);
  expect(start('inspect')).toBe(true);
  expect(readdirSync(own)).toEqual([NAME]);
  expect(readFileSync(join(built, NAME))).toEqual(before);
});

describe('a cache is not used, but replaced,', () => {
  beforeEach(() => {
    start();
  });

  /** As one that was made for something else has it, and V8 would not notice. */
  const sealed = (from: string | RegExp, to: string) => () => {
    const bytes = readFileSync(cache(), 'latin1');
    const end = bytes.lastIndexOf('\n', bytes.length - 2);
    const changed = bytes.slice(end).replace(from, to);
    expect(changed).not.toBe(bytes.slice(end));
    writeFileSync(cache(), bytes.slice(0, end) + changed, 'latin1');
  };

  test.each<[string, () => void]>([
    ['of another Node', sealed(process.version, 'v20.19.99')],
    ['of another V8', sealed(process.versions.v8, '11.3.244.8-node.99')],
    ['of another architecture', sealed(process.arch, 'vax')],
    ['of another source', sealed(' a1b2c3d4e5f6a7b8 ', ' a1b2c3d4e5f6ffff ')],
    ['of another build of the same Node', sealed(/ \d+\.[\d.]+\t/, ' 1.1\t')],
    ['that lost its beginning', () => writeFileSync(cache(), readFileSync(cache()).subarray(64))],
    ['that was cut', () => truncateSync(cache(), statSync(cache()).size - 100)],
    ['that is empty', () => truncateSync(cache(), 0)],
    ['that is something else', () => writeFileSync(cache(), Buffer.alloc(5000, 0x0a))],
    ['that a group can write', () => chmodSync(cache(), 0o620)],
    ['that everybody can write', () => chmodSync(cache(), 0o602)],
    ['with another name elsewhere', () => linkSync(cache(), join(dir.path, 'other'))],
    [
      'that is a link',
      () => {
        renameSync(cache(), join(dir.path, 'real'));
        symlinkSync(join(dir.path, 'real'), cache());
      },
    ],
    [
      'that is a FIFO',
      () => {
        renameSync(cache(), join(dir.path, 'real'));
        execFileSync('mkfifo', ['-m', '600', cache()]);
      },
    ],
  ])('%s', (_, spoil) => {
    spoil();
    expect(start()).toBe(false);
    expect(start()).toBe(true);
    expect(readdirSync(own)).toEqual([NAME]);
  });

  test('that V8 refuses', () => {
    const { ino } = statSync(cache());
    expect(start('status', { ...SOURCE, code: `${SOURCE.code};` })).toBe(false);
    expect(statSync(cache()).ino).not.toBe(ino);
  });

  test('if somebody else owns it', () => {
    // Only root can give it away.
    if (process.geteuid?.() === 0) {
      chownSync(cache(), 12345, 12345);
      expect(start()).toBe(false);
      expect(statSync(cache()).uid).toBe(0);
    } else {
      expect(() => chownSync(cache(), 12345, 12345)).toThrow();
    }
  });
});

describe('a directory is neither read nor written', () => {
  beforeEach(() => {
    start();
  });

  test.each<[string, () => void]>([
    ['that a group can write', () => chmodSync(own, 0o770)],
    ['that everybody can write', () => chmodSync(own, 0o1777)],
    [
      'that is a link',
      () => {
        renameSync(own, join(dir.path, 'real'));
        symlinkSync(join(dir.path, 'real'), own);
      },
    ],
  ])('%s', (_, spoil) => {
    spoil();
    const before = readFileSync(cache());
    expect(start('inspect')).toBe(false);
    expect(readFileSync(cache())).toEqual(before);
  });

  test('that somebody else owns', () => {
    if (process.geteuid?.() !== 0) return expect(() => chownSync(own, 12345, 12345)).toThrow();
    chownSync(own, 12345, 12345);
    const before = readFileSync(cache());
    expect(start('inspect')).toBe(false);
    expect(readFileSync(cache())).toEqual(before);
  });
});

describe('only the cache is missing', () => {
  test.each<[string, () => void]>([
    [
      'in a home that is missing',
      () => {
        own = join(dir.path, 'nobody', '.cache', 'thermos');
      },
    ],
    [
      'with a file in the place of the directory',
      () => {
        writeFileSync(own, '');
      },
    ],
    [
      'in a home that is a loop of links',
      () => {
        renameSync(join(dir.path, 'home'), join(dir.path, 'away'));
        symlinkSync(join(dir.path, 'home'), join(dir.path, 'home'));
      },
    ],
  ])('%s', (_, spoil) => {
    spoil();
    expect(start()).toBe(false);
    expect(start()).toBe(false);
  });

  test('in the home of somebody else', () => {
    if (process.geteuid?.() === 0) chownSync(join(dir.path, 'home'), 12345, 12345);
    else own = '/proc/thermos';
    expect(start()).toBe(false);
    expect(start()).toBe(false);
    expect(readdirSync(join(dir.path, 'home'))).toEqual([]);
  });
});

test('the directory of caches is made in a home of ours', () => {
  own = join(dir.path, 'home', '.cache', 'thermos');
  start();
  expect(start()).toBe(true);
  expect(statSync(join(dir.path, 'home', '.cache')).mode & 0o777).toBe(0o700);
});

test('a built cache of another name serves until there is an own one', () => {
  const like = { ...SOURCE, name: 'question', like: 'answer' };
  own = built;
  expect([start(), readdirSync(built)]).toEqual([false, [NAME]]);
  own = join(dir.path, 'home', 'thermos');
  expect([start('gc', like), readdirSync(own)]).toEqual([true, [cacheName(like)]]);
  rmSync(join(built, NAME));
  expect(start('gc', like)).toBe(true);
});

test('old caches and unfinished ones make room', () => {
  mkdirSync(own, { mode: 0o700 });
  for (let i = 0; i < 40; i++) {
    const file = join(own, `answer-${i}.cache`);
    writeFileSync(file, '');
    utimesSync(file, i, i);
  }
  writeFileSync(join(own, `${NAME}-99999999.making`), '');
  writeFileSync(join(own, `${NAME}-1.making`), '');
  writeFileSync(join(own, 'notes'), '');
  start();
  const left = readdirSync(own);
  expect(left).toHaveLength(34);
  expect(left).toContain(NAME);
  expect(left).toContain('notes');
  expect(left).toContain(`${NAME}-1.making`);
  expect(left).toContain('answer-39.cache');
  expect(left).not.toContain('answer-8.cache');
});

test.each([
  [{ HOME: '/home/ann' }, '/home/ann/.cache/thermos'],
  [{ HOME: '/home/ann', XDG_CACHE_HOME: '/cache' }, '/cache/thermos'],
  [{ HOME: '/home/ann', XDG_CACHE_HOME: 'cache' }, '/home/ann/.cache/thermos'],
  [{ HOME: '/home/ann', XDG_CACHE_HOME: '' }, '/home/ann/.cache/thermos'],
  [{ HOME: '' }, undefined],
  [{}, undefined],
])('%j: caches are in %s', (env, expected) => {
  expect(ownCacheDirectory(env)).toBe(expected);
});
