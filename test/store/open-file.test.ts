import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Directories } from '../../src/store/directories.js';
import { openFile, readText } from '../../src/store/open-file.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermos-store-'));
  mkdirSync(`${directory}/a/b`, { recursive: true });
  writeFileSync(`${directory}/a/b/f`, 'hello');
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const code = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
  return undefined;
};
const openDescriptors = () => readdirSync('/proc/self/fd').length;

describe('openFile', () => {
  test('reads what it opened, and no more than the file had then', () => {
    const file = openFile(`${directory}/a/b/f`, { below: directory });
    expect(file.stat.size).toBe(5);
    writeFileSync(`${directory}/a/b/f`, 'hello, world');
    expect(file.read(100).toString()).toBe('hello');
    const buffer = Buffer.alloc(10);
    expect(file.readAt(buffer, 2, 8, 7)).toBe(5);
    expect(buffer.toString()).toBe('\0\0world\0\0\0');
    expect(file.statNow().size).toBe(12);
    file.close();
  });

  test('follows no link: not as the file, not as a directory on the way', () => {
    symlinkSync('f', `${directory}/a/b/link`);
    symlinkSync('gone', `${directory}/a/b/dangling`);
    symlinkSync('loop', `${directory}/a/b/loop`);
    symlinkSync('a', `${directory}/alias`);
    for (const path of ['a/b/link', 'a/b/dangling', 'a/b/loop', 'alias/b/f']) {
      for (const access of ['read', 'write', 'create'] as const) {
        expect([
          path,
          access,
          code(() => openFile(`${directory}/${path}`, { below: directory, access })),
        ]).toEqual([path, access, 'ELINK']);
      }
    }
    expect(() => openFile(`${directory}/alias/b/f`, { below: directory })).toThrow(
      `${directory}/alias is a symbolic link, and it is not followed here`,
    );
    expect(readText(`${directory}/alias/b/f`, { max: 9 })).toBe('hello');
    expect(readText(`${directory}/a/b/link`, { links: 'follow', max: 9 })).toBe('hello');
    expect(code(() => openFile(`${directory}/a/b/loop`, { links: 'follow' }))).toBe('ELOOP');
  });

  test('opens nothing outside the directory that it is to lie in', () => {
    for (const path of [`${directory}/a/../a/b/f`, '/etc/passwd', `${directory}x/f`]) {
      expect([path, code(() => openFile(path, { below: directory }))]).toEqual([path, 'ELINK']);
    }
  });

  test('never blocks, and reads regular files only', async () => {
    execFileSync('mkfifo', [`${directory}/fifo`]);
    mkdirSync(`${directory}/directory`);
    const server = createServer().listen(`${directory}/socket`);
    await once(server, 'listening');
    for (const access of ['read', 'write', 'create'] as const) {
      for (const name of ['fifo', 'socket', 'directory']) {
        expect([name, access, code(() => openFile(`${directory}/${name}`, { access }))]).toEqual([
          name,
          access,
          'ENOTREG',
        ]);
      }
    }
    server.close();
    expect(code(() => openFile('/dev/zero'))).toBe('ENOTREG');
    expect(() => openFile(`${directory}/fifo`)).toThrow(`${directory}/fifo is a FIFO, not a regular file`);
  });

  test('refuses a file that is longer than anything of its kind, whatever it takes on disk', () => {
    truncateSync(`${directory}/a/b/f`, 2 ** 40);
    expect(code(() => openFile(`${directory}/a/b/f`, { max: 2 ** 20 }))).toBe('EFBIG');
    expect(code(() => readText(`${directory}/a/b/f`, { max: 2 ** 20 }))).toBe('EFBIG');
  });

  test('says what the system says of what is not there', () => {
    expect(code(() => openFile(`${directory}/gone`, { below: directory }))).toBe('ENOENT');
    expect(code(() => openFile(`${directory}/gone/f`, { below: directory }))).toBe('ENOENT');
    expect(code(() => openFile(`${directory}/a/b/f/g`, { below: directory }))).toBe('ENOTDIR');
  });

  test('makes a file only if it is asked to', () => {
    expect(code(() => openFile(`${directory}/new`, { access: 'write' }))).toBe('ENOENT');
    const file = openFile(`${directory}/new`, { access: 'create', mode: 0o600 });
    expect(file.stat.mode & 0o777).toBe(0o600);
    file.close();
  });

  test('reads on behalf of a user only what the user could read', () => {
    const somebody = { uid: 4711, groups: () => [4712] };
    const file = `${directory}/a/b/f`;
    for (const path of [directory, `${directory}/a`, `${directory}/a/b`]) chmodSync(path, 0o755);
    chmodSync(file, 0o644);
    expect(readText(file, { as: somebody, max: 9 })).toBe('hello');
    chmodSync(file, 0o640);
    expect(code(() => openFile(file, { as: somebody }))).toBe('ENOTREADER');
    chmodSync(file, 0o644);
    chmodSync(`${directory}/a`, 0o750);
    expect(() => openFile(file, { as: somebody })).toThrow(`it may not enter ${directory}/a`);
    const me = { uid: process.getuid?.() as number, groups: () => [] };
    expect(readText(file, { as: me, max: 9 })).toBe('hello');
    if (process.getuid?.() === 0) {
      chownSync(`${directory}/a`, 4711, 0);
      expect(readText(file, { as: somebody, max: 9 })).toBe('hello');
    }
  });

  test('reads nothing for root that the owner of its directory could not read', () => {
    const file = `${directory}/a/b/f`;
    chmodSync(file, 0o600);
    expect(readText(file, { as: 'owner', max: 9 })).toBe('hello');
    if (process.getuid?.() !== 0) return;
    chownSync(`${directory}/a/b`, 4711, 4711);
    expect(() => openFile(file, { below: directory, as: 'owner' })).toThrow(
      `uid 4711 claims that ${file} is its own, but may not read it: its owner and mode say who may read it`,
    );
    chownSync(file, 4711, 4711);
    expect(readText(file, { below: directory, as: 'owner', max: 9 })).toBe('hello');
    chownSync(file, 0, 0);
    chmodSync(file, 0o644);
    expect(readText(file, { below: directory, as: 'owner', max: 9 })).toBe('hello');
  });

  test('leaves no descriptor open', () => {
    const before = openDescriptors();
    for (const path of ['a/b/f', 'a/b', 'a/gone', 'gone/f', 'a/b/f/g']) {
      try {
        openFile(`${directory}/${path}`, { below: directory, max: 3 }).close();
      } catch {
        // Refused, as others test.
      }
    }
    expect(openDescriptors()).toBe(before);
  });
});

describe('Directories', () => {
  test('keeps to the directory that was walked to, whatever its name leads to by now', () => {
    const directories = new Directories();
    expect(readText(`${directory}/a/b/f`, { below: directory, directories, max: 9 })).toBe('hello');
    renameSync(`${directory}/a`, `${directory}/moved`);
    mkdirSync(`${directory}/a/b`, { recursive: true });
    writeFileSync(`${directory}/a/b/f`, 'another');
    expect(readText(`${directory}/a/b/f`, { below: directory, directories, max: 9 })).toBe('hello');
    directories.close();
    expect(readText(`${directory}/a/b/f`, { below: directory, directories, max: 9 })).toBe('another');
    directories.close();
  });

  test.each([
    ['where only we can lay links', 0o755],
    ['where everybody can', 0o777],
  ])('follows no link however many files it opened beside it, %s', (_, mode) => {
    mkdirSync(`${directory}/many`);
    for (let i = 0; i < 80; i++) {
      mkdirSync(`${directory}/many/${i}`);
      writeFileSync(`${directory}/many/${i}/f`, String(i));
    }
    symlinkSync('../a/b', `${directory}/many/link`);
    chmodSync(`${directory}/many`, mode);
    const directories = new Directories();
    const read = (name: string) =>
      readText(`${directory}/many/${name}/f`, { below: directory, directories, max: 9 });
    for (let i = 0; i < 80; i++) {
      expect(read(String(i))).toBe(String(i));
      expect(() => read('link')).toThrow(`${directory}/many/link is a symbolic link`);
      expect(() => read('../many/1')).toThrow('is not allowed in');
    }
    directories.close();
  });

  test('holds few descriptors open, however many directories it was asked for', () => {
    const directories = new Directories();
    const before = openDescriptors();
    for (let i = 0; i < 200; i++) {
      mkdirSync(`${directory}/many/${i}`, { recursive: true });
      writeFileSync(`${directory}/many/${i}/f`, String(i));
      expect(readText(`${directory}/many/${i}/f`, { below: directory, directories, max: 9 })).toBe(String(i));
    }
    expect(openDescriptors() - before).toBeLessThan(70);
    directories.close();
    expect(openDescriptors()).toBe(before);
  });

  test('takes names that are no UTF-8 as bytes', () => {
    const bytes = Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9])]);
    execFileSync('mkdir', ['-p', directory]);
    mkdirSync(bytes);
    writeFileSync(Buffer.concat([bytes, Buffer.from('/f')]), 'x');
    const directories = new Directories();
    const fd = directories.fd(directory, ['caf\xe9'], 'latin1');
    expect(readFileSync(`/proc/self/fd/${fd}/f`, 'utf8')).toBe('x');
    directories.close();
  });
});
