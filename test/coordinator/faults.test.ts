import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COORDINATOR_EXIT } from '../../src/errors/exit-codes.js';
import { encodeNativeJob, LOCKED } from '../../src/runner/native-job.js';
import { tempDir } from '../e2e/harness.js';
import { recordsOf } from '../runner/harness.js';
import { forkedOf, jobIn, startOn } from './driver.js';
import { preloadable } from './variants.js';

let temp: ReturnType<typeof tempDir>;
let variant: ReturnType<typeof preloadable>;
beforeAll(() => {
  temp = tempDir();
  variant = preloadable(temp.path);
});
afterAll(() => temp.remove());

/** More than it makes. */
const MOST_CALLS = 100;

const { EIO, EMFILE, ENOSPC, EAGAIN } = constants.errno;

describe('a system call of the coordinator in C that fails', () => {
  test.concurrent.each(Object.entries({ EIO, EMFILE, ENOSPC, EAGAIN }))(
    'with %s, any of them',
    async (_, error) => {
      if (variant === undefined) return;
      const { program, library } = variant;
      const place = join(temp.path, `errno-${error}`);
      const one = async (call: number) => {
        const stream = join(temp.path, `stream-${error}-${call}`);
        const mark = `${place}-${call}`;
        const variables = { LD_PRELOAD: library, FAULT: `call ${call} ${error} ${mark}` };
        const { pid, control, locked, ended } = startOn(program, stream, variables);
        await locked;
        writeFileSync(stream, forkedOf(pid), { flag: 'a' });
        const logs = `${mark}-logs/p/0`;
        const logger = { destination: 'file', mode: 'rotate', log_size: 1e6, backups: 1 } as const;
        const job = jobIn(logs, { cmdline: 'echo once', logger });
        control.end(Buffer.concat([encodeNativeJob(job), Buffer.from('go\n')]));
        return { ...(await ended), stream, logs, isHit: existsSync(mark) };
      };
      let call = 0;
      for (let isHit = true; isHit && call < MOST_CALLS; ) {
        const batch = await Promise.all([1, 2, 3, 4].map((more) => one(call + more)));
        call += batch.length;
        isHit = batch.every((each) => each.isHit);
        for (const { status, signal, report, stderr, stream, logs } of batch) {
          expect({ signal, stderr }).toEqual({ signal: null, stderr: '' });
          expect(Object.values(COORDINATOR_EXIT)).toContain(status);
          const states = recordsOf(stream).map(({ value }) => ('state' in value ? value.state : undefined));
          const out = existsSync(join(logs, 'stdout')) ? readFileSync(join(logs, 'stdout'), 'utf8') : '';
          // Either all of it, or nothing was run; and if it was refused, the reason is given.
          const isDone = states.length === 3;
          expect({ call, states, out }).toEqual(
            isDone
              ? { call, states: ['FORKED', 'RUNNING', 'SUCCESS'], out: 'once\n' }
              : { call, states: ['FORKED'], out: '' },
          );
          if (isDone) expect(status).toBe(COORDINATOR_EXIT.ok);
          if (status === COORDINATOR_EXIT.cannotStart || status === COORDINATOR_EXIT.cannotRecord)
            expect(report.length).toBeGreaterThan(LOCKED.length);
          rmSync(stream);
        }
      }
      expect(call).toBeGreaterThan(30);
      expect(call).toBeLessThan(MOST_CALLS);
    },
  );
});
