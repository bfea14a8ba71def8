import { expect, test } from 'vitest';
import type { Log } from '../../src/logs/log.js';
import { LogPrinter, startInOrder } from '../../src/logs/log-printer.js';
import type { LogTree } from '../../src/logs/log-tree.js';

const NAMING = { root: new Set<string>(), task: false, stream: false };

/** Files of another host: which are being read, and how many at once at most. */
class LateFiles {
  readonly #texts: ReadonlyMap<string, string>;
  most = 0;
  #reading = 0;
  /** What waits to be answered, in the order in which it was asked for. */
  readonly #waiting: (() => void)[] = [];

  constructor(texts: Readonly<Record<string, string>>) {
    this.#texts = new Map(Object.entries(texts));
  }

  /** The newest question is answered first. */
  answer(): boolean {
    const next = this.#waiting.pop();
    next?.();
    return next !== undefined;
  }

  async #late<T>(answer: T): Promise<T> {
    this.#reading += 1;
    this.most = Math.max(this.most, this.#reading);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reading -= 1;
    return answer;
  }

  tree(atOnce: number | undefined): LogTree {
    return {
      atOnce,
      list: () => this.#late({ names: [], complete: true }),
      stat: async () => ({ absent: true }),
      denied: () => undefined,
      open: async (path) => {
        const text = this.#texts.get(path);
        if (text === undefined) return { absent: true };
        const bytes = Buffer.from(text);
        const readAt = async (buffer: Uint8Array, length: number, offset: number) =>
          this.#late(bytes.copy(buffer, 0, offset, offset + length));
        const stat = async () => ({ size: bytes.length, deleted: false });
        return { file: { path, id: path, size: bytes.length, readAt, stat, close() {} } };
      },
    };
  }
}

async function printed(texts: Readonly<Record<string, string>>, atOnce: number | undefined, lines?: number) {
  const files = new LateFiles(texts);
  let text = '';
  const shell = {
    write: (bytes: Buffer | string) => {
      text += bytes.toString();
    },
    event: () => {},
    report: () => {},
  };
  const printer = new LogPrinter(shell, 'lines', NAMING, () => '');
  const tree = files.tree(atOnce);
  const logs = Object.keys(texts).map((path, run) => {
    const source = { task_id: 't', root: '/r', process: 'p', run, stream: 'stdout' as const };
    const log_dir = { path: '/logs', found: true, tree };
    const log = {
      source,
      log_dir,
      path,
      directory: '/logs',
      colour: 0,
      start: run,
      task: {},
    } as unknown as Log;
    return { open: printer.open(log), follow: false };
  });
  let isOver = false;
  const started = startInOrder(logs, lines).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    files.answer();
  }
  await started;
  return { text, most: files.most };
}

const TEXTS = Object.fromEntries(
  Array.from({ length: 9 }, (_, i) => [
    `/logs/${i}`,
    Array.from({ length: 30 }, (_, n) => `${i}.${n}\n`).join(''),
  ]),
);
const LAST = Array.from({ length: 9 }, (_, i) => `${i}.28\n${i}.29\n`).join('');

test('logs of hosts that answer late are read at once, and printed in order', async () => {
  expect(await printed(TEXTS, 4, 2)).toEqual({ text: LAST, most: 4 });
});

test('logs of this host are read one after the other', async () => {
  expect(await printed(TEXTS, undefined, 2)).toEqual({ text: LAST, most: 1 });
});

test('of a log whose turn has not come, little is kept: the rest is read in its turn', async () => {
  const long = { '/a': `${'a'.repeat(300_000)}\n`, '/b': `${'b'.repeat(300_000)}\n`, '/c': 'c\n' };
  expect((await printed(long, 8)).text).toBe(Object.values(long).join(''));
});
