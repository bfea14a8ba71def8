import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { selectTasks } from '../../src/discovery/select.js';
import { diagnoseHost } from '../../src/doctor/diagnose.js';
import { FIXTURES, tempDir } from '../e2e/harness.js';
import { MadeUpHost } from './hosts.js';

const temp = tempDir();
const host = new MadeUpHost(temp.path);
afterAll(() => temp.remove());

/** What is wrong in the sound cases: those in which a runner died, or was running when the copy was made. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  'host-mixed': ['runner-dead'],
  'live-active': ['runner-dead'],
  'live-cleaning': ['runner-dead'],
  'mesos-live': ['runner-dead'],
  'mesos-many': ['executor-never-started'],
  'runner-killed-left': ['runner-dead'],
  'user-unknown': ['runner-dead', 'user-unknown'],
};

function codesOf(name: string): string[] {
  const path = join(FIXTURES, 'checkpoints', name);
  const given = (...names: string[]) => names.map((each) => join(path, each)).filter(existsSync);
  const options = host.options({ flags: { root: given('root'), mesosRoot: given('mesos') } });
  // Where and when they ran. A checkout is as young as it is; an hour later nothing can just be starting.
  const examination = { ...host.examination(options), hostname: 'vm', now: Date.now() + 3_600_000 };
  const { findings } = diagnoseHost(selectTasks(options, [], 'look'), examination);
  return findings.map(({ code }) => code);
}

const CASES = readdirSync(join(FIXTURES, 'checkpoints'));

test.each(CASES.filter((name) => !name.startsWith('damaged-')))('%s', (name) => {
  expect(codesOf(name)).toEqual(WRONG[name] ?? []);
});

test('it handles all damaged ones, and reports most of the damage', () => {
  const reported = CASES.filter((name) => name.startsWith('damaged-') && codesOf(name).length > 0);
  expect(reported.length).toBeGreaterThan(60);
  expect(reported).toContain('damaged-prefix-1');
});
