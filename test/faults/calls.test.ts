import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tempDir } from '../e2e/harness.js';
import { HAS_NATIVE } from '../runner/harness.js';
import {
  type Call,
  errorsOf,
  type Fault,
  FaultyTask,
  faultLibrary,
  type Kind,
  type Role,
  wrongWith,
} from './faults.js';

let temp: ReturnType<typeof tempDir>;
let library: string | undefined;
/** Of directories: a second try must not find what the first has left. */
let places = 0;
beforeAll(() => {
  temp = tempDir();
  library = faultLibrary(temp.path);
});
afterAll(() => temp.remove());

/** All of them, as `npm run test:faults` does, take most of an hour. */
const ALL = process.env.THERMOS_TEST_FAULTS !== undefined;

type Sample = readonly [kind: string, which: number, error: string, how: Fault['how']];

/** Otherwise these, of the last calls of their kinds (-1) or of those in the middle (0.5). */
const SAMPLES: Readonly<Record<Role, readonly Sample[]>> = {
  runner: [
    ['open', 0.5, 'EMFILE', 'always'],
    ['list', 0, 'EMFILE', 'once'],
    ['mkdir', -1, 'ENOSPC', 'once'],
    ['rename', -1, 'EIO', 'always'],
    ['utimes', -1, 'ENOMEM', 'once'],
    ['fork', 0, 'EAGAIN', 'once'],
    ['fork', -1, 'ENOMEM', 'always'],
    ['write', 0.5, 'ENOSPC', 'always'],
    ['write', 0.5, 'ENOMEM', 'always'],
    ['sync', 0.5, 'EIO', 'once'],
  ],
  coordinator: [
    ['open', -1, 'EMFILE', 'once'],
    ['exec', -1, 'EIO', 'always'],
  ],
};

function faultsOf(role: Role, calls: readonly Call[]): Fault[] {
  if (!ALL) {
    return SAMPLES[role].map(([kind, which, error, how]) => {
      const those = calls.filter((call) => call.kind === kind);
      const call = those.at(which < 0 ? which : Math.floor(which * those.length));
      if (call === undefined) throw new Error(`there is no ${kind}`);
      return { role, call: call.number, kind, error, how };
    });
  }
  // A coordinator waits without a bound until it can record what has happened.
  const hows = ({ kind }: Call) =>
    role === 'coordinator' && (kind === 'write' || kind === 'sync')
      ? (['once'] as const)
      : (['once', 'always'] as const);
  return calls.flatMap((call) =>
    errorsOf(call).flatMap((error) =>
      hows(call).map((how) => ({ role, call: call.number, kind: call.kind, error, how })),
    ),
  );
}

interface Tried {
  readonly wrongs: string[];
  /** How many faults there were: a run may end before its call comes. */
  readonly hits: number;
}

async function tryAll(kind: Kind, faults: readonly Fault[], atOnce: number): Promise<Tried> {
  const left = [...faults];
  const found: string[] = [];
  let hits = 0;
  const work = async () => {
    for (let fault = left.shift(); fault !== undefined; fault = left.shift()) {
      const place = join(temp.path, `${++places}`);
      const task = new FaultyTask(place, library as string, kind);
      const wrong = await wrongWith(task, fault, ALL);
      if (wrong !== undefined) found.push(wrong);
      if (task.calls().failed.length > 0) hits++;
      rmSync(place, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { wrongs: found, hits };
}

describe('a call that fails for lack of something', () => {
  test.concurrent.each<[Role, Kind, number]>([
    ['runner', HAS_NATIVE ? 'native' : 'js', 4],
    // They mostly wait.
    ['coordinator', 'js', 16],
  ])(
    'of a %s lets the task go on, or stops it so that it can be resumed',
    async (role, kind, atOnce) => {
      if (library === undefined) return;
      const clean = new FaultyTask(join(temp.path, `${++places}`), library, kind);
      expect(await clean.run({ role, call: 0, kind: '-', error: 'EIO', how: 'once' })).toMatchObject({
        status: 0,
      });
      const calls = [...new Map(clean.calls().calls.map((call) => [call.number, call])).values()];
      const isAsked = ({ call, error, how }: Fault) =>
        new RegExp(process.env.THERMOS_TEST_FAULTS ?? '').test(`${call} ${error} ${how}`);
      const faults = faultsOf(role, calls).filter(isAsked);
      const tried = await tryAll(kind, faults, atOnce);
      expect(tried.wrongs).toEqual([]);
      expect(tried.hits).toBeGreaterThan(faults.length / 2);
    },
    ALL ? 4 * 3600_000 : 120_000,
  );
});
