import { defineConfig } from 'vitest/config';

/** The tests with a real server of ZooKeeper, which they start: `npm run test:zookeeper`. */
export default defineConfig({
  test: {
    name: 'zookeeper',
    include: ['test/zookeeper/**/*.test.ts'],
    globalSetup: ['test/host.ts'],
    maxWorkers: 1,
    isolate: false,
    // A machine that many share may stand still for seconds. The report names the tests that needed the second try.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
