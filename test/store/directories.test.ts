import {
  closeSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, Directories } from '../../src/store/directories.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let directories: Directories;
let remove: () => void;
beforeEach(() => {
  ({ path: dir, remove } = tempDir());
  directories = new Directories();
});
afterEach(() => {
  directories.close();
  remove();
});

const pathOf = (fd: number) => readlinkSync(`/proc/self/fd/${fd}`);
const REFUSED = expect.objectContaining({ code: 'ELINK' });

describe('the way down', () => {
  test('leads to the directory, and is walked once', () => {
    mkdirSync(`${dir}/a/b`, { recursive: true });
    const fd = directories.fd(dir, ['a', 'b']);
    expect(pathOf(fd)).toBe(`${dir}/a/b`);
    expect(directories.below(dir, `${dir}/a/b`)).toBe(fd);
    expect(pathOf(directories.below(dir, `${dir}/a//./b/`))).toBe(`${dir}/a/b`);
    expect(pathOf(directories.fdWithoutLinks(`${dir}/a`))).toBe(`${dir}/a`);
  });

  test('follows no link below the base, to the base any', () => {
    mkdirSync(`${dir}/real/in`, { recursive: true });
    symlinkSync('real', `${dir}/link`);
    symlinkSync('in', `${dir}/real/inner`);
    expect(pathOf(directories.fd(`${dir}/link`, ['in']))).toBe(`${dir}/real/in`);
    expect(() => directories.fd(`${dir}/link`, ['inner'])).toThrow(REFUSED);
    expect(() => directories.fd(dir, ['link', 'in'])).toThrow(REFUSED);
    expect(() => directories.fdWithoutLinks(`${dir}/link`)).toThrow(REFUSED);
  });

  test('leads to nothing outside, and to no file', () => {
    mkdirSync(`${dir}/a`);
    writeFileSync(`${dir}/f`, '');
    for (const path of [`${dir}/a/../a`, `${dir}x`, '/etc', '/']) {
      expect(() => directories.below(dir, path)).toThrow(REFUSED);
    }
    expect(() => directories.fd(dir, ['f'])).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    expect(() => directories.fd(dir, ['none'])).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('stays where it led, whatever is exchanged meanwhile, until it is closed', () => {
    mkdirSync(`${dir}/a`);
    mkdirSync(`${dir}/other`);
    const fd = directories.fd(dir, ['a']);
    renameSync(`${dir}/a`, `${dir}/moved`);
    renameSync(`${dir}/other`, `${dir}/a`);
    expect(pathOf(directories.fd(dir, ['a']))).toBe(`${dir}/moved`);
    writeFileSync(at(fd, 'f'), 'x');
    expect(readFileSync(`${dir}/moved/f`, 'utf8')).toBe('x');
    directories.close();
    expect(pathOf(directories.fd(dir, ['a']))).toBe(`${dir}/a`);
  });

  test('of many directories few stay open', () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 300; i++) {
      mkdirSync(`${dir}/${i}`);
      expect(pathOf(directories.fd(dir, [String(i)]))).toBe(`${dir}/${i}`);
    }
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 150);
  });
});

/** From the 32nd on another way is taken: the links of the directory are known then. */
test('a file behind a link is opened never, however many were opened before', () => {
  for (let i = 0; i < 40; i++) {
    mkdirSync(`${dir}/t/${i}`, { recursive: true });
    writeFileSync(`${dir}/t/${i}/f`, String(i));
  }
  symlinkSync('1', `${dir}/t/link`);
  symlinkSync('f', `${dir}/t/1/flink`);
  directories.fd(dir, ['t']);
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(39).map(String), fc.constantFrom('link', '1/../2', '..')), { maxLength: 50 }),
      (names) => {
        for (const name of names) {
          const path = `${dir}/t/${name}/f`;
          if (/^\d+$/.test(name)) {
            const fd = directories.openFile(dir, path, constants.O_RDONLY);
            expect(readFileSync(fd, 'utf8')).toBe(name);
            closeSync(fd);
          } else expect(() => directories.openFile(dir, path, constants.O_RDONLY)).toThrow();
        }
      },
    ),
  );
  expect(() => directories.openFile(dir, `${dir}/t/1/flink`, constants.O_RDONLY)).toThrow(
    expect.objectContaining({ code: 'ELOOP' }),
  );
});

test('what is written goes where the way led', () => {
  mkdirSync(`${dir}/t/a`, { recursive: true });
  mkdirSync(`${dir}/other`);
  directories.fd(dir, ['t', 'a']);
  renameSync(`${dir}/t`, `${dir}/moved`);
  symlinkSync('other', `${dir}/t`);
  const flags = constants.O_WRONLY | constants.O_CREAT;
  closeSync(directories.openFile(dir, `${dir}/t/a/f`, flags, 0o600));
  expect([readdirSync(`${dir}/moved/a`), readdirSync(`${dir}/other`)]).toEqual([['f'], []]);
});
