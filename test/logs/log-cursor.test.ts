import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalLogTree } from '../../src/logs/local-log-tree.js';
import { type CursorNotice, LogCursor } from '../../src/logs/log-cursor.js';
import type { LogHandle, LogTree } from '../../src/logs/log-tree.js';
import { tempDir } from '../e2e/harness.js';

const temp = tempDir();
afterAll(temp.remove);
const runDir = join(temp.path, '.logs', 'web', '0');
const stdout = join(runDir, 'stdout');

beforeEach(clear);

function clear(): void {
  rmSync(runDir, { recursive: true, force: true });
  mkdirSync(runDir, { recursive: true });
}

function tailOf(text: string, n: number): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return n === 0 ? '' : lines.slice(-n).join('');
}

/** A cursor whose output is collected. */
function open(): {
  cursor: LogCursor;
  text: () => string;
  notices: CursorNotice[];
  sink: (b: Buffer) => void;
} {
  const notices: CursorNotice[] = [];
  let text = '';
  const cursor = new LogCursor(stdout, new LocalLogTree({}), (notice) => notices.push(notice));
  return {
    cursor,
    notices,
    text: () => text,
    sink: (bytes) => {
      text += bytes.toString('latin1');
    },
  };
}

/** The steps of a rotation by renaming; between any two of them somebody may look. */
function renaming(backups: number): (() => void)[] {
  return [...shifts(backups), () => existsSync(stdout) && renameSync(stdout, `${stdout}.1`), () => touch()];
}

/** The steps of a rotation by copying and truncating, the copy made in two pieces. */
function copying(backups: number): (() => void)[] {
  let half = 0;
  return [
    ...shifts(backups),
    () => {
      const content = readFileSync(stdout);
      half = content.length >> 1;
      writeFileSync(`${stdout}.1`, content.subarray(0, half));
    },
    () => {
      appendFileSync(`${stdout}.1`, readFileSync(stdout).subarray(half));
      truncateSync(stdout);
    },
  ];
}

function shifts(backups: number): (() => void)[] {
  const steps: (() => void)[] = [() => rmSync(`${stdout}.${backups}`, { force: true })];
  for (let i = backups - 1; i >= 1; i--) {
    steps.push(() => existsSync(`${stdout}.${i}`) && renameSync(`${stdout}.${i}`, `${stdout}.${i + 1}`));
  }
  return steps;
}

function touch(): void {
  closeSync(openSync(stdout, 'a'));
}

describe('start', () => {
  it('gives what tail -n gives of the backups and the newest file together', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 5 }),
        fc.option(fc.nat(9), { nil: undefined }),
        fc.boolean(),
        async (newestFirst, n, follow) => {
          clear();
          newestFirst.forEach((content, i) => {
            writeFileSync(i === 0 ? stdout : `${stdout}.${i}`, content);
          });
          const { cursor, text, sink } = open();
          await cursor.start({ lines: n, follow }, sink);
          cursor.close();
          const all = newestFirst.toReversed().join('');
          expect(text()).toBe(n === undefined ? all : tailOf(all, n));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('reads the backups though the newest file is absent', async () => {
    writeFileSync(`${stdout}.1`, 'a\nb\n');
    const { cursor, text, sink } = open();
    await cursor.start({ lines: 1, follow: true }, sink);
    writeFileSync(stdout, 'c\n');
    await cursor.advance(sink);
    cursor.close();
    expect(text()).toBe('b\nc\n');
  });
});

describe('advance', () => {
  const BACKUPS = 3;
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.constant('write' as const) },
    { weight: 2, arbitrary: fc.constant('half' as const) },
    { weight: 2, arbitrary: fc.constant('rename' as const) },
    { weight: 2, arbitrary: fc.constant('copy' as const) },
    { weight: 4, arbitrary: fc.constant('look' as const) },
  );

  it('loses and repeats nothing, whenever it looks during writes, renamings and copy-and-truncate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.infiniteStream(fc.boolean()),
        fc.option(fc.nat(5), { nil: undefined }),
        fc.array(fc.nat(3), { maxLength: 3 }),
        async (actions, looks, lines, before) => {
          clear();
          let line = 0;
          let written = '';
          const write = (end: string) => {
            line += 1;
            const text = `line ${line}${end}`;
            appendFileSync(stdout, text);
            written += text;
          };
          touch();
          for (const count of before) {
            for (let i = 0; i < count; i++) write('\n');
            for (const step of renaming(BACKUPS)) step();
          }
          const expectedAtStart = lines === undefined ? written : tailOf(written, lines);
          written = '';
          const descriptors = readdirSync('/proc/self/fd').length;
          const { cursor, text, notices, sink } = open();
          await cursor.start({ lines, follow: true }, sink);
          let rotations = 0;
          const look = async () => {
            await cursor.advance(sink);
            rotations = 0;
          };
          for (const action of actions) {
            if (action === 'write') write('\n');
            else if (action === 'half') write(' ');
            else if (action === 'look') await look();
            else {
              // More rotations than there are backups, unseen, do lose lines.
              if (rotations === BACKUPS - 1) await look();
              rotations += 1;
              for (const step of action === 'rename' ? renaming(BACKUPS) : copying(BACKUPS)) {
                step();
                if (looks.next().value) await cursor.advance(sink);
              }
            }
          }
          await cursor.finish(sink);
          cursor.close();
          expect(text()).toBe(expectedAtStart + written);
          expect(notices).toEqual([]);
          expect(readdirSync('/proc/self/fd').length).toBe(descriptors);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('says so when it is overtaken, and repeats nothing', async () => {
    touch();
    const { cursor, text, notices, sink } = open();
    await cursor.start({ lines: 0, follow: true }, sink);
    for (let i = 1; i <= 6; i++) {
      appendFileSync(stdout, `line ${i}\n`);
      for (const step of renaming(2)) step();
    }
    await cursor.advance(sink);
    cursor.close();
    expect(notices).toEqual([{ kind: 'overtaken' }]);
    expect(text()).toBe('line 1\nline 5\nline 6\n');
  });

  it('gives very much in parts, and says that there is more', async () => {
    writeFileSync(stdout, 'one\n');
    const { cursor, text, sink } = open();
    await cursor.start({ lines: 10, follow: true }, sink);
    appendFileSync(stdout, 'x'.repeat(40_000_000));
    let parts = 1;
    while (!(await cursor.advance(sink))) parts += 1;
    expect(parts).toBeGreaterThan(1);
    expect(text().length).toBe(40_000_004);
    appendFileSync(stdout, 'x'.repeat(40_000_000));
    await cursor.finish(sink);
    expect(text().length).toBe(80_000_004);
    cursor.close();
  });

  it('goes on after a truncation without a copy, and says so', async () => {
    writeFileSync(stdout, 'one\ntwo\n');
    const { cursor, text, notices, sink } = open();
    await cursor.start({ lines: 10, follow: true }, sink);
    truncateSync(stdout);
    await cursor.advance(sink);
    appendFileSync(stdout, 'three\n');
    await cursor.advance(sink);
    cursor.close();
    expect(text()).toBe('one\ntwo\nthree\n');
    expect(notices).toEqual([{ kind: 'truncated' }]);
  });

  it('notices a truncation though the file has grown past its old size since', async () => {
    writeFileSync(stdout, 'one\n');
    const { cursor, text, sink } = open();
    await cursor.start({ lines: 10, follow: true }, sink);
    writeFileSync(stdout, 'two\nthree\nfour\n');
    await cursor.advance(sink);
    cursor.close();
    expect(text()).toBe('one\ntwo\nthree\nfour\n');
  });

  it('keeps reading a file that its writer holds open after it was renamed', async () => {
    const writer = openSync(stdout, 'a');
    writeSync(writer, 'one\n');
    const { cursor, text, sink } = open();
    await cursor.start({ lines: 10, follow: true }, sink);
    renameSync(stdout, `${stdout}.1`);
    touch();
    await cursor.advance(sink);
    writeSync(writer, 'two\n');
    await cursor.advance(sink);
    appendFileSync(stdout, 'three\n');
    await cursor.advance(sink);
    closeSync(writer);
    cursor.close();
    expect(text()).toBe('one\ntwo\nthree\n');
  });

  it('takes the unread rest from a copy that was made over an old backup', async () => {
    writeFileSync(`${stdout}.1`, 'zero\n');
    writeFileSync(stdout, 'one\n');
    const { cursor, text, sink } = open();
    await cursor.start({ lines: 1, follow: true }, sink);
    appendFileSync(stdout, 'two\n');
    copyFileSync(stdout, `${stdout}.1`);
    truncateSync(stdout);
    appendFileSync(stdout, 'three\n');
    await cursor.advance(sink);
    cursor.close();
    expect(text()).toBe('one\ntwo\nthree\n');
  });

  it('reads nothing twice when old backups are deleted', async () => {
    for (const i of [3, 2, 1]) writeFileSync(`${stdout}.${i}`, `old ${i}\n`);
    writeFileSync(stdout, 'one\n');
    const { cursor, text, sink } = open();
    await cursor.start({ lines: 1, follow: true }, sink);
    rmSync(`${stdout}.1`);
    await cursor.forgetDeleted();
    truncateSync(stdout);
    await cursor.advance(sink);
    renameSync(stdout, `${stdout}.1`);
    writeFileSync(stdout, 'two\n');
    await cursor.advance(sink);
    cursor.close();
    expect(text()).toBe('one\ntwo\n');
  });

  it('does not go where a link leads that took the place of the log', async () => {
    writeFileSync(stdout, 'one\n');
    const { cursor, text, notices, sink } = open();
    await cursor.start({ lines: 1, follow: true }, sink);
    rmSync(stdout);
    symlinkSync('/etc/passwd', stdout);
    await cursor.advance(sink);
    await cursor.advance(sink);
    cursor.close();
    expect(text()).toBe('one\n');
    expect(notices).toMatchObject([{ kind: 'problem', problem: { code: 'log-link-refused' } }]);
  });
});

describe('between any two looks at the files', () => {
  /** Local logs; `looks` is called before each answer. */
  function watched(looks: () => void): LogTree {
    const tree = new LocalLogTree({});
    const answering = <A extends unknown[], T>(answer: (...args: A) => T) => {
      return (...args: A): T => {
        looks();
        return answer(...args);
      };
    };
    const watchedFile = (file: LogHandle): LogHandle => ({
      path: file.path,
      id: file.id,
      size: file.size,
      readAt: answering(file.readAt.bind(file)),
      stat: answering(file.stat.bind(file)),
      close: () => file.close(),
    });
    return {
      list: answering(tree.list.bind(tree)),
      stat: answering(tree.stat.bind(tree)),
      open: answering((path) => {
        const opened = tree.open(path);
        return 'file' in opened ? { file: watchedFile(opened.file) } : opened;
      }),
      denied: tree.denied.bind(tree),
    };
  }

  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');

  it.each<[string, () => (() => void)[], number]>([
    ['copied and truncated', () => copying(3), 0],
    ['copied and truncated, before anything of it was read', () => copying(3), 1],
    ['renamed', () => renaming(3), 0],
    ['renamed, before anything of it was read', () => renaming(3), 1],
  ])('a log may be %s, and written again to be longer than before', async (_, rotation, rotated) => {
    for (let at = 0; at < 60; at++) {
      clear();
      writeFileSync(stdout, lines(1, 250));
      let text = '';
      let left = Number.POSITIVE_INFINITY;
      const tree = watched(() => {
        if (left-- !== 0) return;
        for (const step of rotation()) step();
        appendFileSync(stdout, lines(270, 800));
      });
      const cursor = new LogCursor(stdout, tree, () => {});
      const sink = (bytes: Buffer) => {
        text += bytes.toString();
      };
      await cursor.start({ lines: undefined, follow: true }, sink);
      if (rotated === 1) {
        for (const step of renaming(3)) step();
        await cursor.advance(sink);
      }
      appendFileSync(stdout, lines(250, 270));
      left = at;
      for (let looks = 0; looks < 4; looks++) await cursor.advance(sink);
      const written = left < 0 ? 800 : 270;
      // Whoever finishes knows that nothing more will be written.
      left = Number.POSITIVE_INFINITY;
      await cursor.finish(sink);
      cursor.close();
      expect(text, `before answer ${at}`).toBe(lines(1, written));
    }
  });
});

it('an overfull directory is read in part, and that is reported', async () => {
  clear();
  writeFileSync(stdout, 'newest\n');
  for (let i = 0; i < 1100; i++) writeFileSync(join(runDir, `other-${i}`), '');
  const { cursor, text, notices, sink } = open();
  await cursor.start({ lines: undefined, follow: false }, sink);
  expect(text()).toBe('newest\n');
  expect(notices.map((notice) => (notice.kind === 'problem' ? notice.problem.code : notice.kind))).toEqual([
    'directory-too-large',
  ]);
});

it('gives hundreds of backups, and has only some of them open', async () => {
  clear();
  writeFileSync(stdout, 'newest\n');
  for (let i = 1; i <= 300; i++) writeFileSync(`${stdout}.${i}`, `backup ${i}\n`);
  const { cursor, notices, sink } = open();
  const descriptors = () => readdirSync('/proc/self/fd').length;
  const before = descriptors();
  let most = 0;
  const lines: string[] = [];
  await cursor.start({ lines: undefined, follow: false }, (bytes) => {
    most = Math.max(most, descriptors() - before);
    lines.push(bytes.toString());
    sink(bytes);
  });
  const backups = Array.from({ length: 300 }, (_, i) => `backup ${300 - i}\n`);
  expect(lines).toEqual([...backups, 'newest\n']);
  expect(most).toBeLessThan(70);
  expect([notices, descriptors()]).toEqual([[], before]);
});
