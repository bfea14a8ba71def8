import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { lastLines } from '../../src/logs/last-lines.js';
import { LocalLogTree } from '../../src/logs/local-log-tree.js';
import { logFiles } from '../../src/logs/log-files.js';
import { type Bytes, LastLinesScan } from '../../src/logs/scan-back.js';
import { tempDir } from '../e2e/harness.js';

const temp = tempDir();
afterAll(temp.remove);
const logDir = join(temp.path, '.logs');
const tree = new LocalLogTree({ below: logDir });
const runDir = join(logDir, 'web', '0');
const stdout = join(runDir, 'stdout');

beforeEach(() => {
  rmSync(logDir, { recursive: true, force: true });
  mkdirSync(runDir, { recursive: true });
});

/** What tail(1) would print of the text. */
function tailOf(text: string, n: number): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return n === 0 ? '' : lines.slice(-n).join('');
}

function bytesOf(text: string): Bytes {
  const content = Buffer.from(text);
  return {
    size: content.length,
    readAt: (buffer, length, offset) => content.copy(buffer, 0, offset, offset + length),
  };
}

const logText = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r'), maxLength: 40 });

describe('LastLinesScan', () => {
  it('finds what tail -n finds in the concatenation of rotated files, whatever the block size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(logText, { minLength: 1, maxLength: 5 }),
        fc.nat(12),
        fc.integer({ min: 1, max: 9 }),
        async (oldestFirst, n, block) => {
          const scan = new LastLinesScan(n, { block });
          let found = '';
          for (const text of oldestFirst.toReversed()) {
            const start = await scan.scan(bytesOf(text));
            found = text.slice(start ?? 0) + found;
            if (start !== undefined) break;
          }
          expect(found).toBe(tailOf(oldestFirst.join(''), n));
        },
      ),
      { numRuns: 600 },
    );
  });

  it('looks for no line further back than the longest, and says that it did not', async () => {
    const longest = async (text: string, n: number, block = 4) => {
      const scan = new LastLinesScan(n, { block, longest: 8 });
      return [await scan.scan(bytesOf(text)), scan.cut];
    };
    expect(await longest(`${'x'.repeat(100)}\n`, 1)).toEqual([93, true]);
    expect(await longest(`${'x'.repeat(100)}\nab\n`, 1)).toEqual([101, false]);
    expect(await longest(`${'x'.repeat(100)}\nab\n`, 2)).toEqual([92, true]);
    expect(await longest('abcdef\n'.repeat(10), 9)).toEqual([7, false]);
    expect(await longest('abcdef\n'.repeat(10), 11)).toEqual([undefined, false]);
  });

  it('goes no further in the next file than in the same one', async () => {
    const scan = new LastLinesScan(5, { block: 4, longest: 8 });
    expect(await scan.scan(bytesOf('xxxx'))).toBeUndefined();
    expect(await scan.scan(bytesOf('x'.repeat(100)))).toBe(96);
    expect(scan.cut).toBe(true);
  });
});

describe('lastLines', () => {
  it('is what tail -n is of the backups and the newest file together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(logText, { minLength: 1, maxLength: 4 }),
        fc.nat(8),
        async (newestFirst, n) => {
          rmSync(runDir, { recursive: true });
          mkdirSync(runDir);
          newestFirst.forEach((text, i) => {
            writeFileSync(i === 0 ? stdout : `${stdout}.${i}`, text);
          });
          const expected = tailOf(newestFirst.toReversed().join(''), n).replace(/\n$/, '');
          const got = await lastLines(stdout, n, tree);
          expect(got.lines.join('\n')).toBe(expected);
          expect(got.cut).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('stops at maxBytes and says so', async () => {
    writeFileSync(`${stdout}.1`, 'older\n');
    writeFileSync(stdout, 'first\nsecond\nthird\n');
    expect(await lastLines(stdout, 10, tree, { maxBytes: 10 })).toEqual({
      lines: ['ond', 'third'],
      cut: true,
    });
    expect(await lastLines(stdout, 1, tree, { maxBytes: 10 })).toEqual({
      lines: ['third'],
      cut: false,
    });
    expect((await lastLines(stdout, 9, tree, { maxBytes: 19 })).cut).toBe(true);
  });

  it('has no lines and no problem for a log that is empty or not there', async () => {
    expect(await lastLines(stdout, 5, tree)).toEqual({ lines: [], cut: false });
    writeFileSync(stdout, '');
    expect(await lastLines(stdout, 5, tree)).toEqual({ lines: [], cut: false });
  });

  it('neither reads through a link out of the directory nor waits for a FIFO or a device', async () => {
    symlinkSync('/etc/passwd', stdout);
    expect((await lastLines(stdout, 5, tree)).problem?.code).toBe('log-link-refused');
    rmSync(stdout);
    symlinkSync('nowhere', stdout);
    expect((await lastLines(stdout, 5, tree)).problem?.code).toBe('log-link-refused');
    rmSync(stdout);
    symlinkSync(stdout, stdout);
    expect((await lastLines(stdout, 5, tree)).problem?.code).toBe('log-link-refused');
    rmSync(stdout);
    execFileSync('mkfifo', [stdout]);
    expect((await lastLines(stdout, 5, tree)).problem?.code).toBe('log-not-a-file');
    rmSync(stdout);
    symlinkSync('/dev/zero', stdout);
    expect((await lastLines(stdout, 5, tree)).problem?.code).toBe('log-link-refused');
    rmSync(stdout);
    mkdirSync(stdout);
    expect((await lastLines(stdout, 5, tree)).problem?.code).toBe('log-not-a-file');
  });

  it('refuses every link, as a file and as a directory of a run', async () => {
    writeFileSync(join(runDir, 'real'), 'yes\n');
    symlinkSync('real', stdout);
    expect((await lastLines(stdout, 5, tree)).problem?.code).toBe('log-link-refused');
    rmSync(stdout);
    writeFileSync(stdout, 'yes\n');
    symlinkSync('0', join(logDir, 'web', '1'));
    expect((await lastLines(join(logDir, 'web', '1', 'stdout'), 5, tree)).problem?.code).toBe(
      'log-link-refused',
    );
  });
});

describe('logFiles', () => {
  it('lists the streams of a run with their backups, newest first', async () => {
    for (const [name, text] of Object.entries({
      stdout: '1',
      'stdout.1': '22',
      'stdout.10': '333',
      'stdout.2': '4444',
      'stdout.gz': '',
      'stdout.01': '',
      'stderr.1': '5',
    })) {
      writeFileSync(join(runDir, name), text);
    }
    const { files, problems } = await logFiles({ path: logDir, tree }, 'web', 0);
    expect(problems).toEqual([]);
    expect(files.map(({ stream, bytes }) => [stream, bytes])).toEqual([
      ['stdout', 1],
      ['stderr', 0],
    ]);
    expect(files[0]?.backups.map(({ number, bytes }) => [number, bytes])).toEqual([
      [1, 2],
      [2, 4],
      [10, 3],
    ]);
  });

  it('reports links that leave the directory and names that would', async () => {
    symlinkSync('/etc/passwd', stdout);
    expect(await logFiles({ path: logDir, tree }, 'web', 0)).toMatchObject({
      files: [],
      problems: [{ code: 'log-link-refused', path: stdout }],
    });
    for (const name of ['..', '.', '', 'a/b', '../../etc', 'a\0b']) {
      expect((await logFiles({ path: logDir, tree }, name, 0)).problems.map(({ code }) => code)).toEqual([
        'log-name-refused',
      ]);
    }
    expect(await logFiles({ path: logDir, tree }, 'web', 7)).toEqual({
      files: [],
      problems: [],
    });
  });
});
