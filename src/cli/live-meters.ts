import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clocks } from '../host/process-readings.js';
import { DiskMeter, type DiskThread } from '../top/disk-meter.js';
import { cgroupsOfTasks } from '../top/meters.js';
import type { TaskMeters } from '../top/model.js';

const SCRIPT = join(__dirname, 'disk.cjs');

/** For JavaScript in the thread. It remembers files with several links. */
const HEAP_MB = 128;

/** Meters for many readings: disks are measured in a thread of their own. */
export function liveMeters({ now, monotonic }: Clocks): TaskMeters {
  const disks = new DiskMeter(startDiskThread, () => ({ timeMs: now(), atMs: monotonic() }));
  return {
    cgroups: (reading, tasks) => {
      disks.keepOnly(new Set(tasks.map(({ key }) => key)));
      return cgroupsOfTasks(reading, tasks);
    },
    disk: (task) => disks.of(task),
  };
}

/** The program does not wait for the thread at its end. */
function startDiskThread(): DiskThread {
  const worker = new Worker(SCRIPT, {
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
  };
}
