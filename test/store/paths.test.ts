import { dirname } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWithin, nameOf, namesBelow, parentOf } from '../../src/store/paths.js';

const name = fc.stringMatching(/^[a-z.-]{1,4}$/).filter((text) => text !== '.' && text !== '..');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}`);

test('parent and name are the two parts of a path', () => {
  fc.assert(
    fc.property(path, (each) => {
      expect(parentOf(each)).toBe(dirname(each));
      expect(`${parentOf(each) === '/' ? '' : parentOf(each)}/${nameOf(each)}`).toBe(each);
      expect(isWithin(each, parentOf(each))).toBe(true);
    }),
  );
  expect([parentOf('/'), nameOf('/')]).toEqual(['/', '']);
});

test('the names below a directory lead to the path, and there are none if it is not in it', () => {
  fc.assert(
    fc.property(path, fc.oneof(path, fc.constant('/')), (each, directory) => {
      const names = namesBelow(each, directory);
      expect(names !== undefined).toBe(isWithin(each, directory));
      if (names === undefined) return;
      expect([directory === '/' ? '' : directory, ...names].join('/')).toBe(each);
    }),
  );
  expect(namesBelow('/a/b', '/a')).toEqual(['b']);
  expect(namesBelow('/a', '/a')).toEqual([]);
  expect(namesBelow('/ab', '/a')).toBeUndefined();
});
