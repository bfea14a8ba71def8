import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
// @ts-expect-error: no types
import { buildCoordinator } from '../../scripts/build/coordinator.mjs';
import { placeForEach } from '../e2e/harness.js';
import { HAS_NATIVE } from '../runner/harness.js';

const place = placeForEach();

test('without a C compiler there is no coordinator in C, and a reason', () => {
  const { PATH } = process.env;
  const output = join(place.path, 'coordinator');
  mkdirSync(join(place.path, 'bin'));
  process.env.PATH = join(place.path, 'bin');
  try {
    expect(buildCoordinator(output)).toMatch(/^there is no C compiler .* that works$/);
  } finally {
    process.env.PATH = PATH;
  }
  expect(existsSync(output)).toBe(false);
});

test.skipIf(!HAS_NATIVE)('a compiler that does not accept it fails the build', () => {
  const output = join(place.path, 'coordinator');
  expect(() => buildCoordinator(output, ['-DFD_STREAM='])).toThrow(
    /^(?:musl-g)?cc about src\/coordinator:\n[\s\S]*error/,
  );
  expect(existsSync(output)).toBe(false);
});
