import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeSandboxMark, isSameMark, parseSandboxMark } from '../../src/layout/sandbox-mark.js';

const MARK = { task_id: 'a', root: '/var/run/thermos', dev: 1, ino: 2 };

test('what is written is read', () => {
  fc.assert(
    fc.property(
      fc.record({
        task_id: fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !/^\.{1,2}$|[/\0]/.test(text)),
        root: fc.string({ maxLength: 40 }).map((text) => `/${text}`),
        dev: fc.nat(),
        ino: fc.maxSafeNat(),
      }),
      (mark) => {
        const read = parseSandboxMark(encodeSandboxMark(mark));
        expect(read).toEqual(mark);
        expect(read && isSameMark(read, mark)).toBe(true);
      },
    ),
  );
});

test('any text is a mark or none', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const mark = parseSandboxMark(text);
      if (mark !== undefined) expect(mark.root.startsWith('/')).toBe(true);
    }),
  );
});

test.each([
  '',
  'null',
  '[]',
  '{}',
  JSON.stringify({ ...MARK, task_id: '../x' }),
  JSON.stringify({ ...MARK, root: 'relative' }),
  JSON.stringify({ ...MARK, ino: '2' }),
  JSON.stringify({ ...MARK, dev: null }),
])('no mark: %s', (text) => {
  expect(parseSandboxMark(text)).toBeUndefined();
});

test.each([{ task_id: 'b' }, { root: '/copy' }, { dev: 7 }, { ino: 7 }])('another mark: %j', (other) => {
  expect(isSameMark(MARK, { ...MARK, ...other })).toBe(false);
});
