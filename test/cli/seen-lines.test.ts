import { expect, test } from 'vitest';
import { SeenLines } from '../../src/cli/seen-lines.js';

/** Frame 1 shows a and b, and marks a. */
function seen(): SeenLines {
  const lines = new SeenLines();
  lines.found(['a', 'b'], 1);
  lines.drawn(['a', 'b'], 'a');
  return lines;
}

test('what is typed before the first frame means no line', () => {
  expect(seen().canMean('a', 0)).toBe(false);
  expect(seen().canMean('a', 1)).toBe(true);
});

test('what is typed while the list changes means only the line that was marked', () => {
  const lines = seen();
  lines.found(['x', 'a', 'b'], 2);
  lines.drawn(['x', 'a', 'b'], 'a');
  expect(lines.canMean('a', 1)).toBe(true);
  expect(lines.canMean('x', 1)).toBe(false);
  expect(lines.canMean('x', 2)).toBe(true);
});

test('a look that finds the same lines, and lines that keys have changed, take nothing away', () => {
  const lines = seen();
  lines.found(['a', 'b'], 2);
  lines.drawn(['b', 'a'], 'b');
  expect(lines.canMean('b', 1)).toBe(true);
});
