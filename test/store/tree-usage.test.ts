import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { TreeUsage } from '../../src/store/tree-usage.js';

const directory = mkdtempSync(join(tmpdir(), 'thermos-usage-'));
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+rwx', directory]);
  rmSync(directory, { recursive: true });
});

function tree(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

function measured(paths: readonly string[], options: { most?: number; proceed?: () => boolean } = {}) {
  const usage = new TreeUsage({ most: 100_000, ...options });
  for (const path of paths) usage.add(path);
  return { bytes: usage.bytes, complete: usage.complete };
}

/** As du(1) of coreutils has it. */
function du(...paths: string[]): number {
  const out = execFileSync('du', ['-sxc', '-B1', ...paths], { encoding: 'utf8' });
  return Number(/^(\d+)\ttotal$/m.exec(out)?.[1]);
}

const openFiles = () => readdirSync('/proc/self/fd').length;

describe('what a tree occupies', () => {
  test('is what du says: blocks, sparse files, links, names that are not UTF-8', () => {
    const path = tree('du');
    mkdirSync(join(path, 'a/b'), { recursive: true });
    writeFileSync(join(path, 'a/file'), Buffer.alloc(100_000, 1));
    writeFileSync(Buffer.from(`${path}/a/\xff\xfe`, 'latin1'), 'x');
    mkdirSync(Buffer.from(`${path}/a/\xff`, 'latin1'));
    writeFileSync(Buffer.from(`${path}/a/\xff/y`, 'latin1'), Buffer.alloc(10_000, 1));
    writeFileSync(join(path, 'sparse'), '');
    truncateSync(join(path, 'sparse'), 1 << 30);
    linkSync(join(path, 'a/file'), join(path, 'a/b/again'));
    symlinkSync('/', join(path, 'a/root'));
    symlinkSync(path, join(path, 'a/b/up'));
    const before = openFiles();
    expect(measured([path])).toEqual({ bytes: du(path), complete: true });
    expect(openFiles()).toBe(before);
  });

  test('counts a file with links in two trees once', () => {
    const [one, other] = [tree('one'), tree('other')];
    writeFileSync(join(one, 'log'), Buffer.alloc(50_000, 1));
    linkSync(join(one, 'log'), join(other, 'log'));
    expect(measured([one, other])).toEqual({ bytes: du(one, other), complete: true });
  });

  test('ends at the given number of entries, and says that there is more', () => {
    const path = tree('many');
    for (let i = 0; i < 200; i++) writeFileSync(join(path, String(i)), 'x');
    const all = measured([path]);
    const part = measured([path], { most: 50 });
    expect(part.complete).toBe(false);
    expect(part.bytes).toBeLessThan(all.bytes);
    expect(measured([path], { most: 200 })).toEqual(all);
  });

  test('ends when the caller says so', () => {
    const path = tree('stopped');
    for (let i = 0; i < 300; i++) writeFileSync(join(path, String(i)), 'x');
    let asked = 0;
    const part = measured([path], { proceed: () => ++asked < 2 });
    expect(part.complete).toBe(false);
    expect(asked).toBe(2);
  });

  test('ends at a depth that no descriptors are left for', () => {
    const path = tree('deep');
    // By parts that are moved into each other: a path may not be as long.
    const part = Array<string>(50).fill('d').join('/');
    let inner: string | undefined;
    for (let i = 0; i < 4; i++) {
      const outer = join(directory, `part${i}`);
      mkdirSync(join(outer, part), { recursive: true });
      if (inner !== undefined) renameSync(inner, join(outer, part, 'in'));
      inner = outer;
    }
    renameSync(inner as string, join(path, 'in'));
    const before = openFiles();
    expect(measured([path]).complete).toBe(false);
    expect(openFiles()).toBe(before);
  });

  test('does not leave by a link, not even by one that leads to the tree', () => {
    const real = tree('real');
    writeFileSync(join(real, 'file'), Buffer.alloc(50_000, 1));
    const path = tree('linked');
    symlinkSync(real, join(path, 'link'));
    expect(measured([path]).bytes).toBe(du(path));
  });

  test('of what is not there, or is a file, is an error', () => {
    writeFileSync(join(directory, 'a-file'), '');
    expect(() => measured([join(directory, 'absent')])).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    expect(() => measured([join(directory, 'a-file')])).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  });

  test.runIf(process.getuid?.() !== 0)('says that a directory was left out that cannot be read', () => {
    const path = tree('closed');
    mkdirSync(join(path, 'in'));
    chmodSync(join(path, 'in'), 0o000);
    expect(measured([path]).complete).toBe(false);
  });
});
