import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COORDINATOR_EXIT } from '../../src/errors/exit-codes.js';
import { encodeNativeJob, LOCKED } from '../../src/runner/native-job.js';
import { tempDir } from '../e2e/harness.js';
import { COORDINATOR, HAS_NATIVE } from '../runner/harness.js';
import { forkedOf, jobIn, startOn } from './driver.js';

const isRoot = process.getuid?.() === 0;
const UID = 65534;

let temp: ReturnType<typeof tempDir>;
beforeEach(() => {
  temp = tempDir();
});
afterEach(() => temp.remove());

const at = (...parts: string[]) => join(temp.path, ...parts);
const ownersOf = (...paths: string[]) => paths.map((path) => statSync(at(path)).uid);

/** Runs a process of another user with this log directory. */
async function run(logs: string) {
  const stream = at('stream');
  const { pid, control, locked, ended } = startOn(COORDINATOR.native as string, stream);
  await locked;
  writeFileSync(stream, forkedOf(pid));
  const account = { name: 'user', uid: UID, gid: UID, home: '/' };
  control.end(Buffer.concat([encodeNativeJob(jobIn(logs, { account, groups: [UID] })), Buffer.from('go\n')]));
  const { status, report } = await ended;
  return { status, why: report.slice(LOCKED.length).replaceAll(temp.path, '') };
}

const DONE = { status: COORDINATOR_EXIT.ok, why: '' };

/** The same as of the function of log-directory.ts, by the same tests. */
describe.skipIf(!isRoot || !HAS_NATIVE)(
  'log directories of another user, made by the coordinator in C',
  () => {
    test('only the last is the user’s: who owns those above could move the logs', async () => {
      expect(await run(at('.logs/web/1'))).toEqual(DONE);
      expect(ownersOf('.logs', '.logs/web', '.logs/web/1', '.logs/web/1/stdout')).toEqual([0, 0, UID, UID]);
    });

    test('what the original made and had no time to give to the user is given', async () => {
      mkdirSync(at('.logs/web/1'), { recursive: true });
      expect(await run(at('.logs/web/1'))).toEqual(DONE);
      expect(ownersOf('.logs', '.logs/web', '.logs/web/1')).toEqual([0, 0, UID]);
    });

    test('what is in a directory of the user is left to the user', async () => {
      mkdirSync(at('.logs'));
      chownSync(at('.logs'), UID, UID);
      expect(await run(at('.logs/web/1'))).toEqual(DONE);
      expect(ownersOf('.logs', '.logs/web', '.logs/web/1')).toEqual([UID, UID, UID]);
    });

    test('root follows no link among them', async () => {
      mkdirSync(at('elsewhere/web/1'), { recursive: true });
      symlinkSync(at('elsewhere'), at('.logs'));
      for (const [process, call] of [
        ['web/1', 'open'],
        ['other/1', 'mkdir'],
      ] as const) {
        const { status, why } = await run(at('.logs', process));
        expect(status).toBe(COORDINATOR_EXIT.cannotStart);
        expect(why).toMatch(new RegExp(`^EACCES: permission denied, ${call} '/\\.logs/`));
      }
      expect(readdirSync(at('elsewhere'))).toEqual(['web']);
      expect(ownersOf('elsewhere/web/1')).toEqual([0]);
    });

    test('root follows a link on the way to them only if nobody else can have put it there', async () => {
      mkdirSync(at('real'));
      mkdirSync(at('open'));
      chmodSync(at('open'), 0o777);
      symlinkSync(at('real'), at('roots'));
      symlinkSync(at('real'), at('open/link'));
      expect(await run(at('roots/a/web/1'))).toEqual(DONE);
      expect((await run(at('open/link/b/web/1'))).status).toBe(COORDINATOR_EXIT.cannotStart);
      expect(readdirSync(at('real'))).toEqual(['a']);
    });

    test('where nothing can be made it is the user who sees why', async () => {
      expect(await run(at('no/such/logs/web/1'))).toEqual({
        status: COORDINATOR_EXIT.cannotStart,
        why: "EACCES: permission denied, mkdir '/no'",
      });
      expect(readdirSync(dirname(at('no')))).toEqual(['stream']);
    });
  },
);
