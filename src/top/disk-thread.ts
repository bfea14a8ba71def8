import { parentPort } from 'node:worker_threads';
import { measureDisk } from './disk-measure.js';
import type { DiskAnswer, DiskRequest } from './disk-protocol.js';
import { Pace } from './pace.js';

/** The entry of the thread that measures: `dist/disk.cjs`. */

/** With more, a sandbox takes the thread longer than half an hour. */
const MOST_ENTRIES = 5_000_000;

const never = new Int32Array(new SharedArrayBuffer(4));
const pace = new Pace(
  () => performance.now(),
  (ms) => {
    Atomics.wait(never, 0, 0, ms);
  },
);

parentPort?.on('message', ({ key, sandbox, log_dir }: DiskRequest) => {
  pace.begin();
  const size = measureDisk({ sandbox, log_dir }, { most: MOST_ENTRIES, proceed: () => pace.proceed() });
  pace.end();
  parentPort?.postMessage({ key, size } satisfies DiskAnswer);
});
