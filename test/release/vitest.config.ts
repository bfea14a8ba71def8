import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** What `node scripts/release.mjs` made: `npm run test:release` does both. They take minutes. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    include: ['test/release/**/*.test.ts'],
    maxWorkers: 2,
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
  },
});
