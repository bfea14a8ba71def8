import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DiskThread } from '../top/disk-meter.js';

/** For JavaScript in the thread. It remembers files with several links. */
const HEAP_MB = 128;

/** Starts the thread that measures disks. The program does not wait for it at its end. */
export function startDiskThread(): DiskThread {
  const worker = new Worker(join(__dirname, 'disk.cjs'), {
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  worker.unref();
  return {
    send: (request) => worker.postMessage(request),
    listen: (answered, broken) => {
      worker.on('message', answered);
      worker.once('error', broken);
      worker.once('exit', broken);
      // A listener for messages would keep the program alive.
      worker.unref();
    },
    end: () => {
      void worker.terminate();
    },
  };
}
