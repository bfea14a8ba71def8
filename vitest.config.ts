import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
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

/** Files that take long for their size, by which vitest orders those that it has not run before. The longest first. */
const LONG = [
  ...[
    'e2e/hostile/matrix',
    'runner/interrupted',
    'config/corpus',
    'config/python/execute',
    'e2e/run',
    'e2e/unseen',
  ],
  ...['e2e/long-streams', 'e2e/package', 'e2e/gc', 'e2e/signals', 'e2e/completion', 'e2e/config'],
  ...[
    'agent/gatherer',
    'e2e/agents',
    'e2e/run-start',
    'e2e/docs',
    'e2e/hostile/exchange',
    'runner/scenarios',
  ],
  ...[
    'e2e/cli',
    'e2e/hostile',
    'e2e/run-again',
    'e2e/thermos-runner',
    'e2e/restart',
    'e2e/kill',
    'e2e/gc-evidence',
  ],
  ...['e2e/ui', 'e2e/read', 'coordinator/faults', 'coordinator/coordinator', 'e2e/inspect', 'e2e/run-modes'],
  ...['e2e/exec', 'e2e/container', 'runner/runner', 'faults/calls', 'e2e/tail', 'e2e/watch', 'e2e/debugger'],
  ...['e2e/upgrade', 'runner/coordinators', 'e2e/gc-orphans', 'e2e/masters', 'e2e/top', 'e2e/top-record'],
  ...[
    'e2e/giant-logs',
    'e2e/hints',
    'e2e/run-report',
    'coordinator/exec',
    'e2e/defaults',
    'e2e/mesos-sandbox',
  ],
  ...['e2e/many', 'e2e/progress'],
].map((name) => `/test/${name}.test.ts`);

/**
 * A long file that begins last keeps one worker busy while the others have nothing to do; and a worker that gets a file of
 * another project starts anew, and loads everything again.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const projects = ['js', 'alone', 'shared'];
    const rank = ({ project, moduleId }: TestSpecification) => {
      const place = LONG.findIndex((name) => moduleId.endsWith(name));
      return projects.indexOf(project.name) * 1000 + (place === -1 ? LONG.length : place);
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  plugins: [inlinePlugin],
  test: {
    globalSetup: 'test/host.ts',
    // Two more than a small machine has cores: the tests wait for processes a good part of the time.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // A machine that many share may stand still for seconds. The report names the tests that needed the second try.
    retry: process.env.CI ? 1 : 0,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    projects: [
      // They load what they test once a worker, not once a file: that is a quarter of all the time.
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['test/**/*.test.ts'],
          // They have configurations of their own: npm run test:browser, test:zookeeper, test:release.
          exclude: [...mocking, 'test/{browser,zookeeper,release}/**'],
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
