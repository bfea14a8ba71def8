import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { inlinePlugin } from './test/inline-plugin.js';

const TEST = join(import.meta.dirname, 'test');

/** The tests that put something else in the place of a module: no other test may share their modules. */
const mocking = readdirSync(TEST, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts'))
  .filter((path) => /\bvi\.(?:do)?[mM]ock\(/.test(readFileSync(join(TEST, path), 'utf8')))
  .map((path) => `test/${path}`);

/**
 * They also run with the coordinator in TypeScript, if the one in C was built, which all others use. The rest of the
 * runner's tests does by `npm run test:coordinators`: a process costs Node so much that they would take a tenth of all
 * the time.
 */
const both = ['scenarios', 'interrupted', ...(process.env.THERMOS_TEST_BOTH ? ['runner'] : [])];
const running = existsSync(join(import.meta.dirname, 'dist/coordinator'))
  ? both.map((name) => `test/runner/${name}.test.ts`)
  : [];

export default defineConfig({
  plugins: [inlinePlugin],
  test: {
    globalSetup: 'test/host.ts',
    // Two more than a small machine has cores: the tests wait for processes a good part of the time.
    maxWorkers: 4,
    // A machine that many share may stand still for seconds. The report names the tests that needed the second try.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    projects: [
      // They load what they test once a worker, not once a file: that is a quarter of all the time.
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          // npm run test:browser, test:zookeeper and test:release run those.
          exclude: [...mocking, 'test/browser/**', 'test/zookeeper/**', 'test/release/**'],
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'js', include: running, isolate: false, env: { THERMOS_COORDINATOR: 'js' } },
      },
      { extends: true, test: { name: 'alone', include: mocking } },
    ],
  },
});
