import { expect, test } from 'vitest';
import { nearest } from '../../src/cli/near.js';

const COMMANDS = ['status', 'inspect', 'tail', 'read', 'roots', 'help', 'version', 'gc'];

test.each([
  ['statsu', ['status']],
  ['stat', ['status']],
  ['tial', ['tail']],
  ['raed', ['read']],
  ['ehlp', ['help']],
  ['root', ['roots']],
  ['xyzzy', []],
  ['', []],
  ['g', ['gc']],
])('%s may be %s', (word, names) => {
  expect(nearest(word, COMMANDS)).toEqual(names);
});
