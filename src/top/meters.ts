import { CgroupFiles } from '../host/cgroup-files.js';
import { procText } from '../host/proc-text.js';
import { processRow } from '../host/process-table.js';
import { CgroupMeter, type KinTable, type TaskCgroup } from './cgroup-meter.js';
import type { Kin } from './cgroup-scope.js';
import type { CgroupReading, Reading, TaskMeters } from './model.js';

/** Reads the cgroups of tasks on this machine. */
export const cgroupsOfTasks: NonNullable<TaskMeters['cgroups']> = (reading, tasks) => {
  const meter = new CgroupMeter(new CgroupFiles(), tableOf(reading), tasks);
  return (task, pids) => {
    const cgroup = meter.read(task, pids);
    return cgroup && readingOf(cgroup);
  };
};

function readingOf(cgroup: TaskCgroup): CgroupReading {
  const { cpuLimit, memoryLimitBytes, pidsLimit, cpuPressure, memoryPressure, ioPressure, kind, ...rest } =
    cgroup;
  return {
    ...rest,
    isWhole: kind !== 'members',
    limits: { cpu: cpuLimit, memoryBytes: memoryLimitBytes, pids: pidsLimit },
    pressure: { cpu: cpuPressure, memory: memoryPressure, io: ioPressure },
  };
}

/** The processes of a reading; one that was started since is looked up. */
function tableOf({ processes }: Reading): KinTable {
  return {
    kinOf: (pid) => processes.get(pid) ?? rowOf(pid),
    pids: () => processes.keys(),
    commandOf: (pid) => procText(`/proc/${pid}/comm`).trim(),
  };
}

const NOBODY: Kin = { parent: 0, session: 0 };

/** Undefined if the process is gone. If the machine is too short of something to know, it is nobody's. */
function rowOf(pid: number): Kin | undefined {
  try {
    return processRow(pid);
  } catch {
    return NOBODY;
  }
}
