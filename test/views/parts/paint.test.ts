import { expect, test } from 'vitest';
import { PROCESS_STATES, TASK_STATES } from '../../../src/checkpoint/records.js';
import { colouredPalette } from '../../../src/cli/palette.js';
import { PLAIN, paintOf } from '../../../src/views/parts/paint.js';

test('colours have fixed meanings', () => {
  const palette = colouredPalette();
  expect(paintOf(palette, 'SUCCESS')('x')).toBe('\u001b[32mx\u001b[39m');
  expect(paintOf(palette, 'WAITING')('x')).toBe('\u001b[33mx\u001b[39m');
  expect(paintOf(palette, 'FAILED')('x')).toBe('\u001b[31mx\u001b[39m');
  expect(paintOf(palette, 'LOST')('x')).toBe('\u001b[31mx\u001b[39m');
  expect(paintOf(palette, 'RUNNING')('x')).toBe('\u001b[36mx\u001b[39m');
  expect(palette.dim('x')).toBe('\u001b[2mx\u001b[22m');
});

test('every state has a colour, an unknown word has none', () => {
  const palette = colouredPalette();
  for (const state of [...PROCESS_STATES, ...TASK_STATES]) {
    expect(paintOf(palette, state)('x')).not.toBe('x');
  }
  expect(paintOf(palette, '9')('x')).toBe('x');
  expect(paintOf(palette, 'constructor')('x')).toBe('x');
});

test('the plain palette leaves text as it is', () => {
  const { prefixes, ...paints } = PLAIN;
  for (const paint of [...Object.values(paints), ...prefixes]) expect(paint('a b')).toBe('a b');
});
