import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, test } from 'vitest';
import { OutputTree } from '../../src/store/output-tree.js';
import { RefusedError } from '../../src/store/refused.js';
import { tempDir } from '../e2e/harness.js';

const temp = tempDir();
afterAll(temp.remove);
const base = join(temp.path, 'base');
const AS_ROOT = process.geteuid?.() === 0;
const NOBODY = 65534;

beforeEach(() => {
  rmSync(base, { recursive: true, force: true });
  mkdirSync(base);
});

function write(directory: string, names: readonly string[], name: string, content: string): string {
  const tree = OutputTree.open(directory);
  try {
    return tree.write(names, name, content);
  } finally {
    tree.close();
  }
}

describe('a directory for what we make', () => {
  it('is made with what is missing of its path, and its files are replaced whole', () => {
    const out = join(base, 'a/b');
    const path = write(out, ['task', 'web'], 'index.html', 'one');
    expect(path).toBe(`${out}/task/web/index.html`);
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(statSync(path).mode & 0o777).toBe(0o644);
    const { ino } = statSync(path);
    expect(write(out, ['task', 'web'], 'index.html', 'two')).toBe(path);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).ino).not.toBe(ino);
    expect(readdirSync(join(out, 'task/web'))).toEqual(['index.html']);
  });

  it('replaces a link instead of writing through it, and enters none', () => {
    const secret = join(base, 'secret');
    writeFileSync(secret, 'secret');
    mkdirSync(join(base, 'elsewhere'));
    mkdirSync(join(base, 'out/task'), { recursive: true });
    symlinkSync(secret, join(base, 'out/index.html'));
    symlinkSync(join(base, 'elsewhere'), join(base, 'out/task/web'));
    write(join(base, 'out'), [], 'index.html', 'page');
    expect(readFileSync(secret, 'utf8')).toBe('secret');
    expect(lstatSync(join(base, 'out/index.html')).isSymbolicLink()).toBe(false);
    expect(() => write(join(base, 'out'), ['task', 'web'], 'index.html', 'page')).toThrow(RefusedError);
    expect(readdirSync(join(base, 'elsewhere'))).toEqual([]);
  });

  it('leaves the former file and nothing else if it cannot write', () => {
    const out = join(base, 'out');
    mkdirSync(join(out, 'taken'), { recursive: true });
    expect(() => write(out, [], 'taken', 'page')).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(out)).toEqual(['taken']);
    writeFileSync(join(out, 'file'), '');
    expect(() => write(out, ['file'], 'page', 'page')).toThrow(RefusedError);
    expect(() => write(join(out, 'file'), [], 'page', 'page')).toThrow();
    expect(() => write(out, [], 'x'.repeat(250), 'page')).toThrow('ENAMETOOLONG');
  });

  test.runIf(AS_ROOT)('root writes as the owner of the directory', () => {
    const out = join(base, 'out');
    mkdirSync(out);
    chownSync(out, NOBODY, NOBODY);
    const path = write(join(out, 'deep/er'), ['task'], 'page', 'page');
    for (const each of [path, join(out, 'deep'), join(out, 'deep/er/task')]) {
      expect([statSync(each).uid, statSync(each).gid]).toEqual([NOBODY, NOBODY]);
    }
    expect([process.geteuid?.(), process.getegid?.()]).toEqual([0, 0]);
    const closed = join(base, 'closed');
    mkdirSync(closed);
    chownSync(closed, NOBODY, NOBODY);
    chmodSync(closed, 0o500);
    expect(() => write(closed, [], 'page', 'page')).toThrow('EACCES');
  });

  test.runIf(AS_ROOT)('root goes over no link of another user', () => {
    const theirs = join(base, 'theirs');
    mkdirSync(theirs);
    mkdirSync(join(base, 'target'));
    symlinkSync(join(base, 'target'), join(theirs, 'out'));
    chownSync(theirs, NOBODY, NOBODY);
    expect(() => write(join(theirs, 'out'), [], 'page', 'page')).toThrow(RefusedError);
    expect(readdirSync(join(base, 'target'))).toEqual([]);
  });
});
