import { expect, it } from 'vitest';
import { ConfigPrinting } from '../../src/cli/config-printing.js';

function shown(...texts: string[]): string {
  let written = '';
  const printing = new ConfigPrinting((text) => {
    written += text;
  });
  for (const text of texts) printing.print(text);
  printing.end();
  return written;
}

it('shows every character but newline and tab that changes the terminal or cannot be seen', () => {
  expect(shown('\u001b[2J\u001b]0;title\u0007\r\u202eab\u009b1m\n')).toBe(
    '\\e[2J\\e]0;title\\u{7}\\r\\u{202e}ab\\u{9b}1m\n',
  );
  expect(shown('a\u200bb\n')).toBe('a\\u{200b}b\n');
  expect(shown('a\tb\n\nü 漢\n')).toBe('a\tb\n\nü 漢\n');
});

it('ends the last line, and begins none', () => {
  expect(shown('a', 'b')).toBe('ab\n');
  expect(shown('a\n')).toBe('a\n');
  expect(shown()).toBe('');
  expect(shown('a\n', '')).toBe('a\n');
});
