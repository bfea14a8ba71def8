import { defineConfig } from 'vitest/config';

/** The tests in a browser: `npm run test:browser`. They share one, which globalSetup starts. */
export default defineConfig({
  test: {
    name: 'browser',
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/host.ts', 'test/browser/chromium.ts'],
    // A browser has processes enough of its own.
    maxWorkers: 1,
    isolate: false,
    // A machine that many share may stand still for seconds. The report names the tests that needed the second try.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
  },
});
