import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { chainsOf, type Excerpt, type ExcerptLimits, excerptOf } from '../../src/logs/excerpt.js';
import { excerptsOf } from '../../src/logs/excerpts.js';
import { listLogs } from '../../src/logs/list-logs.js';
import { LocalLogTree } from '../../src/logs/local-log-tree.js';
import type { LogTree } from '../../src/logs/log-tree.js';
import { tempDir } from '../e2e/harness.js';

const temp = tempDir();
afterAll(temp.remove);
const logDir = join(temp.path, '.logs');
const tree = new LocalLogTree({ below: logDir });
const LIMITS: ExcerptLimits = { first: 2, last: 3, maxBytes: 64, countedBytes: 1000 };

beforeEach(() => rmSync(logDir, { recursive: true, force: true }));

function writeLog(name: string, content: string | Buffer, run = 0, process = 'web'): string {
  const directory = join(logDir, process, String(run));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, name), content);
  return join(directory, name);
}

async function files(...processes: string[]) {
  return (await listLogs({ path: logDir, tree }, processes.length === 0 ? ['web'] : processes)).files;
}

async function excerpt(limits: Partial<ExcerptLimits> = {}, from: LogTree = tree): Promise<Excerpt> {
  const [chain] = chainsOf(await files());
  if (chain === undefined) throw new Error('no log');
  return await excerptOf(chain, from, { ...LIMITS, ...limits });
}

const shown = ({ first, left_out, last, problem }: Excerpt) => ({ first, left_out, last, problem });

describe('an excerpt of a log', () => {
  it('has all lines of a short log', async () => {
    const path = writeLog('stdout', 'a\n\nb\nno newline');
    expect(await excerpt()).toEqual({
      process: 'web',
      run: 0,
      stream: 'stdout',
      path,
      bytes: 15,
      first: ['a', '', 'b', 'no newline'],
      last: [],
    });
  });

  it('is empty for an empty log', async () => {
    writeLog('stdout', '');
    expect(shown(await excerpt())).toEqual({ first: [], last: [] });
  });

  it('has the first and last lines of a log with more lines, and counts what is left out', async () => {
    writeLog('stdout', '1\n2\n3\n4\n5\n6\n7\n');
    expect(shown(await excerpt())).toEqual({
      first: ['1', '2'],
      left_out: { bytes: 4, lines: 2 },
      last: ['5', '6', '7'],
    });
  });

  it('reads only the ends of a large log, in whole lines, and counts lines if there are not too many bytes', async () => {
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
    writeLog('stdout', `${lines.join('\n')}\n`);
    const expected = { first: ['line 0', 'line 1'], last: ['line 37', 'line 38', 'line 39'] };
    expect(shown(await excerpt())).toEqual({ ...expected, left_out: { bytes: 310 - 14 - 24, lines: 35 } });
    expect(shown(await excerpt({ countedBytes: 200 }))).toEqual({ ...expected, left_out: { bytes: 272 } });
  });

  it('goes over all rotated files, the oldest first', async () => {
    writeLog('stdout.2', 'one\ntwo\nthr');
    writeLog('stdout.1', 'ee\nfour\nfi');
    writeLog('stdout', 've\nsix\n');
    expect(shown(await excerpt())).toEqual({
      first: ['one', 'two'],
      left_out: { bytes: 6, lines: 1 },
      last: ['four', 'five', 'six'],
    });
  });

  it('has U+FFFD for bytes that are not UTF-8, and keeps carriage returns, escapes and a byte order mark', async () => {
    writeLog('stdout', Buffer.from('\ufeffa\xff\x80\r\n\x1b[31mred\n', 'latin1'));
    writeLog('stderr', Buffer.concat([Buffer.from('\ufeffé'), Buffer.from([0x80, 0xc3])]));
    const [stdout, stderr] = await Promise.all(
      chainsOf(await files()).map((chain) => excerptOf(chain, tree, LIMITS)),
    );
    expect(stdout?.first).toEqual(['\ufffda\ufffd\ufffd\r', '\u001b[31mred']);
    expect(stderr?.first).toEqual(['\ufeffé\ufffd\ufffd']);
  });

  it('cuts a very long line, between characters, and says so', async () => {
    writeLog('stdout', `ok\n${'é'.repeat(500_000)}\n`);
    const { first, last, problem } = await excerpt({ maxBytes: 2_000_000 });
    expect(first).toEqual(['ok', `${'é'.repeat(4096)}…`]);
    expect(last).toEqual([]);
    expect(problem).toBe('a line has more than 8192 bytes: the rest is not shown');
  });

  it('shows both ends of a log that is one line, and says so', async () => {
    writeLog('stdout', `<${'é'.repeat(500)}>\n`);
    expect(shown(await excerpt())).toEqual({
      first: [`<${'é'.repeat(7)}\ufffd`],
      left_out: { bytes: 1003 - 64 },
      last: [`…${'é'.repeat(23)}>`],
      problem: 'a line beside what is left out is not shown in full',
    });
  });

  it('reads no more of a huge sparse log than it shows', async () => {
    truncateSync(writeLog('stdout', 'begin\n'), 2 ** 40);
    let read = 0;
    const counting: LogTree = {
      list: (...args) => tree.list(...args),
      stat: (...args) => tree.stat(...args),
      denied: (...args) => tree.denied(...args),
      open: (path) => {
        const opened = tree.open(path);
        if (!('file' in opened)) return opened;
        const { readAt } = opened.file;
        opened.file.readAt = (buffer, length, offset) => {
          read += length;
          return readAt.call(opened.file, buffer, length, offset);
        };
        return opened;
      },
    };
    const { first, bytes } = await excerpt({ maxBytes: 65536, countedBytes: 1024 * 1024 }, counting);
    expect([first, bytes]).toEqual([['begin'], 2 ** 40]);
    expect(read).toBeLessThanOrEqual(65537);
  });

  it('says what can not be read: a link, a file that is gone is only missing', async () => {
    writeLog('secret', 'secret\n', 1, 'other');
    const path = writeLog('stdout', 'ok\n');
    const listed = chainsOf(await files());
    renameSync(path, `${path}.moved`);
    symlinkSync(join(logDir, 'other/1/secret'), path);
    const [chain] = listed;
    if (chain === undefined) throw new Error('no log');
    const linked = await excerptOf(chain, tree, LIMITS);
    expect(linked.first).toEqual([]);
    expect(linked.problem).toContain('symbolic link');
    rmSync(path);
    expect(shown(await excerptOf(chain, tree, LIMITS))).toEqual({ first: [], last: [] });
  });

  it('has lines of the log only, in order, and left_out counts exactly the others, whatever is in the log', async () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'é', '\n', '\n'), maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 3 }),
        fc.record({ first: fc.nat(3), last: fc.nat(3), maxBytes: fc.integer({ min: 8, max: 80 }) }),
        async (oldestFirst, limits) => {
          rmSync(logDir, { recursive: true, force: true });
          for (const [i, text] of oldestFirst.toReversed().entries())
            writeLog(i === 0 ? 'stdout' : `stdout.${i}`, text);
          const { first, last, left_out, problem, bytes } = await excerpt(limits);
          const text = oldestFirst.join('');
          const lines = text.split('\n');
          if (lines.at(-1) === '') lines.pop();
          expect(bytes).toBe(Buffer.byteLength(text));
          const size = Buffer.byteLength([...first, ...last].join(''));
          expect(size).toBeLessThanOrEqual(limits.maxBytes + 8);
          if (problem !== undefined) return;
          expect(first).toEqual(lines.slice(0, first.length));
          expect(last).toEqual(lines.slice(lines.length - last.length));
          if (left_out === undefined) expect(first).toEqual(lines);
          else {
            expect(left_out.lines).toBe(lines.length - first.length - last.length);
            const ended = text.endsWith('\n') || last.length === 0 ? 0 : 1;
            const shownBytes = size + first.length + last.length - ended;
            expect(left_out.bytes).toBe(Buffer.byteLength(text) - shownBytes);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the excerpts of a task', () => {
  const rankOf = (process: string, run: number) => (process === 'bad' ? 0 : 10 - run);

  it('are in the order of the files, and have all of short logs', async () => {
    writeLog('stdout', 'hello\n', 0, 'web');
    writeLog('stderr', '', 0, 'web');
    writeLog('stderr.1', 'older\n', 1, 'web');
    writeLog('stderr', 'newer\n', 1, 'web');
    writeLog('stderr', 'failed\n', 0, 'bad');
    const found = await excerptsOf(await files('web', 'bad'), tree, { bytes: 1024 * 1024, rankOf });
    expect(found.map(({ process, run, stream, first }) => [process, run, stream, first])).toEqual([
      ['web', 0, 'stdout', ['hello']],
      ['web', 0, 'stderr', []],
      ['web', 1, 'stderr', ['older', 'newer']],
      ['bad', 0, 'stderr', ['failed']],
    ]);
  });

  it('take at most so many bytes, those that matter most first, a run with two long logs half of each', async () => {
    const long = `${'x'.repeat(99)}\n`.repeat(1000);
    for (const run of [0, 1, 2]) writeLog('stdout', long, run, 'web');
    writeLog('stdout', long, 0, 'bad');
    writeLog('stderr', long, 0, 'bad');
    const sizes = async (bytes: number) => {
      const found = await excerptsOf(await files('web', 'bad'), tree, { bytes, rankOf });
      return found.map(
        ({ process, run, stream, bytes, left_out }) =>
          `${process} ${run} ${stream} ${bytes - (left_out?.bytes ?? 0)}`,
      );
    };
    expect(await sizes(80_000)).toEqual([
      'web 1 stdout 12500',
      'web 2 stdout 22000',
      'bad 0 stdout 22000',
      'bad 0 stderr 22000',
    ]);
    expect(await sizes(3000)).toEqual(['bad 0 stderr 2900']);
    expect(await sizes(1500)).toEqual([]);
    expect(await sizes(0)).toEqual([]);
  });

  it('are shared evenly by runs that matter alike', async () => {
    const long = `${'x'.repeat(99)}\n`.repeat(1000);
    for (const process of ['a', 'b', 'c', 'd']) writeLog('stdout', long, 0, process);
    const found = await excerptsOf(await files('a', 'b', 'c', 'd'), tree, {
      bytes: 40_000,
      rankOf: () => 1,
    });
    const used = found.map(({ bytes, left_out }) => bytes - (left_out?.bytes ?? 0));
    expect(used).toHaveLength(4);
    for (const each of used) expect(each).toBeGreaterThan(9000);
    expect(used.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(40_000);
  });
});
