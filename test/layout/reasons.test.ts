import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeReason, parseReasons } from '../../src/layout/reasons.js';

test('what is written is read again', () => {
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const text = fc.string({ unit: 'binary', maxLength: 300 });
  const reason = fc.record({
    time_ms: fc.nat(),
    code: text,
    message: text,
    process: optional(text),
    run: optional(fc.nat()),
    by: optional(text),
  });
  fc.assert(
    fc.property(fc.array(reason), (reasons) => {
      expect(parseReasons(reasons.map(encodeReason).join(''))).toEqual(reasons);
    }),
  );
});

test('what is not a reason is left out, and the rest is read', () => {
  const good = encodeReason({ time_ms: 1, code: 'c', message: 'm' });
  const bad = [
    'null',
    '[]',
    '1',
    '{',
    '{"time_ms":1,"code":"c"}',
    '{"time_ms":1,"code":7,"message":"m"}',
    '{"time_ms":-1,"code":"c","message":"m"}',
    '{"time_ms":1e400,"code":"c","message":"m"}',
    '{"time_ms":"1","code":"c","message":"m"}',
  ];
  expect(parseReasons(`${bad.join('\n')}\n${good}{"time_ms":2,"code":"c","mess`)).toEqual([
    { time_ms: 1, code: 'c', message: 'm' },
  ]);
  const odd = '{"time_ms":1,"code":"c","message":"m","process":7,"run":-1,"by":{},"__proto__":{"x":1}}';
  expect(parseReasons(odd)).toEqual([{ time_ms: 1, code: 'c', message: 'm' }]);
});

test('a text is cut', () => {
  const message = 'x'.repeat(100_000);
  expect(encodeReason({ time_ms: 1, code: 'c', message, by: message }).length).toBeLessThan(2200);
  const [read] = parseReasons(JSON.stringify({ time_ms: 1, code: 'c', message, by: message }));
  expect([read?.message.length, read?.by?.length]).toEqual([1001, 1001]);
});
