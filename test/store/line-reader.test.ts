import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linesOf, type ReadLine } from '../../src/store/line-reader.js';
import { useFile } from '../../src/store/open-file.js';
import { tempDir } from '../e2e/harness.js';

let dir: string;
let remove: () => void;
beforeAll(() => {
  ({ path: dir, remove } = tempDir());
});
afterAll(() => remove());

function linesIn(content: string | Buffer, from = 0, longest = 1000): { lines: ReadLine[]; end: number } {
  writeFileSync(`${dir}/f`, content);
  return useFile(`${dir}/f`, {}, (file) => {
    const lines: ReadLine[] = [];
    const reader = linesOf(file, { from, longest });
    for (;;) {
      const next = reader.next();
      if (next.done) return { lines, end: next.value };
      lines.push(next.value);
    }
  });
}

test('a line that is not finished is none, and reading goes on where it begins', () => {
  expect(linesIn('one\n\ntwo')).toEqual({
    lines: [
      { at: 0, text: 'one' },
      { at: 4, text: '' },
    ],
    end: 5,
  });
  expect(linesIn('')).toEqual({ lines: [], end: 0 });
});

test('what is within a line begins with the next one; what is where a line begins, with that', () => {
  expect(linesIn('one\ntwo\n', 2).lines).toEqual([{ at: 4, text: 'two' }]);
  expect(linesIn('one\ntwo\n', 4).lines).toEqual([{ at: 4, text: 'two' }]);
  expect(linesIn('one\ntwo\n', 8)).toEqual({ lines: [], end: 8 });
});

test('the text of a line that is too long is not given, and those after it are', () => {
  const long = 'x'.repeat(700_000);
  expect(linesIn(`a\n${long}\nb\n`, 0, 600_000).lines).toEqual([
    { at: 0, text: 'a' },
    { at: 2, text: undefined },
    { at: 700_003, text: 'b' },
  ]);
  expect(linesIn(`${long}\n`, 0, 700_000).lines).toEqual([{ at: 0, text: long }]);
});

test('whatever the bytes are, the lines are those between newlines, and none is given twice', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes.map((byte) => byte % 13)));
  fc.assert(
    fc.property(bytes, fc.nat(200), (content, from) => {
      const { lines, end } = linesIn(content, from);
      const whole = content.toString('latin1').split('\n').slice(0, -1);
      let at = 0;
      const all = whole.map((text) => {
        const line = { at, text };
        at += text.length + 1;
        return line;
      });
      expect(lines).toEqual(all.filter((line) => line.at >= from));
      if (from === 0) expect(end).toBe(at);
    }),
    { numRuns: 200 },
  );
});
