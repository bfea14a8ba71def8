import { expect, test } from 'vitest';
import { jsonIn } from '../../src/agent/json-answer.js';

const answer = (text: string, type = 'application/json') => ({
  body: Buffer.from(text, 'latin1'),
  headers: { 'content-type': type },
});

test('bytes of strings are characters, unless it is UTF-8', () => {
  expect(jsonIn(answer('"\xc3\xa9"'), '')).toBe('\xc3\xa9');
  expect(jsonIn(answer('"\xc3\xa9"'), '', 'utf8')).toBe('é');
});

test('what is not JSON is named by its type', () => {
  expect(() => jsonIn(answer('<html>', 'text/html; charset=x'), 'look')).toThrow('not JSON, but text/html');
});

test.each(['[', '{},', '[[],'])('5,000,000 times %s is refused before it takes gigabytes', (part) => {
  expect(() => jsonIn(answer(`[${part.repeat(5_000_000)}`), '')).toThrow(
    'more than 4000000 lists and objects',
  );
});
