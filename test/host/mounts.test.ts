import { expect, test } from 'vitest';
import { parseMountPoints } from '../../src/host/mounts.js';

test('mount points, with blanks and backslashes in them', () => {
  const text = `22 1 8:1 / / rw - ext4 /dev/sda rw\n23 22 8:1 /x /a\\040b\\134c rw shared:1 - ext4 /dev/sda rw\nbroken\n`;
  expect(parseMountPoints(text)).toEqual(['/', '/a b\\c']);
});
