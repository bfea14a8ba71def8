import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { catFiles } from '../../src/app/cat.js';
import { copyFiles } from '../../src/app/cp.js';
import { listFiles } from '../../src/app/ls.js';
import { readingsOf, type SandboxPorts } from '../../src/app/sandbox-word.js';
import type { SandboxEntry, SandboxTree } from '../../src/sandbox/sandbox-tree.js';
import { tempDir } from '../e2e/harness.js';
import { gatheredLate, treeOf } from './gatherers.js';

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

/** The files of a task on another host, which answers late and knows only what an agent of Mesos tells. */
class LateTree implements SandboxTree {
  readonly #files: Readonly<Record<string, string>>;

  constructor(files: Readonly<Record<string, string>>) {
    this.#files = files;
  }

  async look(names: readonly string[]) {
    const entry = this.#entry(names);
    return entry === undefined ? { absent: true as const } : { entry };
  }

  async list(names: readonly string[], most: number) {
    const all = this.#below(names).map((name) => this.#entry([...names, name]) as SandboxEntry);
    return { entries: all.slice(0, most), complete: all.length <= most };
  }

  async types(names: readonly string[], most: number) {
    const { entries, complete } = await this.list(names, most);
    return {
      entries: entries.map(({ names: way, type }) => ({ name: way.at(-1) as string, type })),
      complete,
    };
  }

  async open(names: readonly string[]) {
    const bytes = Buffer.from(this.#files[names.join('/')] as string);
    const readAt = async (buffer: Uint8Array, length: number, offset: number) =>
      bytes.copy(buffer, 0, offset, Math.min(offset + length, bytes.length));
    return { file: { entry: this.#entry(names) as SandboxEntry, readAt, close: () => {} } };
  }

  close(): void {}

  #below(names: readonly string[]): string[] {
    const prefix = names.map((name) => `${name}/`).join('');
    const below = Object.keys(this.#files).filter((path) => path.startsWith(prefix));
    return [...new Set(below.map((path) => path.slice(prefix.length).split('/')[0] as string))].sort();
  }

  #entry(names: readonly string[]): SandboxEntry | undefined {
    const text = this.#files[names.join('/')];
    const about = { names, mtime_ms: 1_400_000_000_000, owner: 'nobody' };
    if (text !== undefined) return { ...about, type: 'file', bytes: text.length, mode: 0o640 };
    return this.#below(names).length === 0
      ? undefined
      : { ...about, type: 'directory', bytes: 0, mode: 0o750 };
  }
}

const FILES = { 'logs/a': 'first\n', 'logs/deep/b': 'second\n', empty: '' };

function ports(files: Readonly<Record<string, string>> = FILES): SandboxPorts {
  const { gatherer } = gatheredLate(treeOf('host'));
  return { gatherer, sandboxOf: async () => new LateTree(files) };
}

test('files of another host are listed', async () => {
  const { entries, problems } = await listFiles('host-ok-1', { recursive: true }, ports());
  expect(problems).toEqual([]);
  expect(entries.map(({ name }) => name)).toEqual(['empty', 'logs', 'logs/a', 'logs/deep', 'logs/deep/b']);
});

test('files of another host are printed', async () => {
  let printed = '';
  const words = ['host-ok-1:logs/a', 'host-ok-1:empty', 'host-ok-1:logs/deep/b'];
  const answer = await catFiles(words, ports(), ({ bytes }) => {
    printed += bytes.toString();
  });
  expect(answer).toEqual({ problems: [], exitCode: 0 });
  expect(printed).toBe('first\nsecond\n');
});

const options = () => ({ recursive: true, force: false, links: false, cwd: temp.path });

test('files of another host are copied', async () => {
  const shell = { update: () => {}, breathe: () => undefined };
  const { copied, problems } = await copyFiles(['host-ok-1'], 'copy', options(), ports(), shell);
  expect(problems).toEqual([]);
  expect(copied).toMatchObject([{ task_id: 'host-ok-1', to: join(temp.path, 'copy'), files: 3, bytes: 13 }]);
  expect(readFileSync(join(temp.path, 'copy', 'logs', 'deep', 'b'), 'utf8')).toBe('second\n');
});

test('an end that is asked for leaves whole files, and nothing more is copied', async () => {
  let breaths = 0;
  const breathe = () => {
    breaths += 1;
    return breaths < 4 ? undefined : Promise.resolve(true);
  };
  mkdirSync(join(temp.path, 'copies'));
  const words = ['host-ok-1', 'host-ok-2'];
  const shell = { update: () => {}, breathe };
  await copyFiles(words, 'copies', options(), ports({ a: 'a', b: 'b', c: 'c' }), shell);
  expect(readdirSync(join(temp.path, 'copies'))).toEqual(['host-ok-1']);
  expect(readdirSync(join(temp.path, 'copies', 'host-ok-1'))).toEqual(['a', 'b']);
});

test.each<[string, [task: string, path: string][]]>([
  ['web', [['web', '']]],
  [
    'web:a/b',
    [
      ['web', 'a/b'],
      ['web:a/b', ''],
    ],
  ],
  [
    ':a',
    [
      ['', 'a'],
      [':a', ''],
    ],
  ],
  [
    'a:b:c',
    [
      ['a', 'b:c'],
      ['a:b', 'c'],
      ['a:b:c', ''],
    ],
  ],
])('%s can be read as %j', (word, readings) => {
  expect(readingsOf(word).map(({ task, path }) => [task, path])).toEqual(readings);
});

test('a word of many colons has few readings', () => {
  expect(readingsOf(':'.repeat(1000)).length).toBeLessThan(10);
});
