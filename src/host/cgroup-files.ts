import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import {
  type CgroupMembership,
  type CgroupMount,
  cgroupMounts,
  coresOf,
  parseCgroups,
  parseCpuMax,
  parseFlatKeyed,
  parseLimit,
  parseNumber,
  parsePressure,
  parseProcs,
  placeOf,
} from './cgroup.js';
import { type Mount, parseMounts } from './mounts.js';
import { procText } from './proc-text.js';

/** What the files of a cgroup say. What they do not have, or may not be read, is undefined. Totals are since it was made. */
export interface CgroupNumbers {
  readonly cpuMs?: number;
  /** Of all processors together. */
  readonly throttledMs?: number;
  /** Periods in which it ran with a limit, and those of them in which it reached the limit. */
  readonly periods?: number;
  readonly throttledPeriods?: number;
  readonly oomKills?: number;
  readonly memoryBytes?: number;
  /** Processes and threads, as its limit counts them. */
  readonly pidsCount?: number;
  /** In cores, bytes, and processes and threads; undefined without a limit. */
  readonly cpuLimit?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
  /** For which part of the last ten seconds some of its processes waited, in per cent. */
  readonly cpuPressure?: number;
  readonly memoryPressure?: number;
  readonly ioPressure?: number;
}

/** A directory of a cgroup. */
export interface CgroupDirectory {
  readonly path: string;
  readonly controllers: readonly string[];
}

/** What is in a cgroup and below it. */
export interface CgroupMembers {
  /** Of the directory: one that was made again differs. */
  readonly identity: string;
  readonly pids: readonly number[];
  /** The directories, itself first. */
  readonly directories: readonly string[];
}

/** More cgroups than this in a container are not walked: its own processes may make as many as they like. */
const MOST_CGROUPS = 256;
/** A file of a cgroup is longer only if it lists some hundred thousand processes. */
const MOST_BYTES = 4 * 1024 * 1024;
/** A container may have its own processes nest cgroups; the kernel has no limit of its own. */
const MOST_DEEP = 32;

/** The files of cgroups, both versions. Nothing here throws; what cannot be read is undefined. */
export class CgroupFiles {
  readonly #proc: string;
  readonly #given: readonly Mount[] | undefined;
  #mounts: readonly CgroupMount[] | undefined;

  /** `proc` and `mounts`: a recorded tree, in tests. */
  constructor({ proc = '/proc', mounts }: { proc?: string; mounts?: readonly Mount[] } = {}) {
    this.#proc = proc;
    this.#given = mounts;
  }

  /** The cgroups of a process, one in each hierarchy; empty if it is gone or hidden. */
  of(pid: number | 'self'): CgroupMembership[] {
    return parseCgroups(procText(`${this.#proc}/${pid}/cgroup`));
  }

  /**
   * The directory of a cgroup, or of one above it: that to which `depth` names lead from the mount. Undefined if its
   * hierarchy is not mounted, or not down to it. The root of a hierarchy is never given: it is the whole machine, or
   * all that we see of it.
   */
  directory(membership: CgroupMembership, names: readonly string[]): CgroupDirectory | undefined {
    const path = `/${names.join('/')}`;
    const place = placeOf({ ...membership, path }, this.#all());
    if (place === undefined || place.names.length === 0) return undefined;
    return { path: [place.mount.path, ...place.names].join('/'), controllers: membership.controllers };
  }

  /** Undefined if it is gone, cannot be read, or has too many cgroups to know. */
  members({ path }: CgroupDirectory): CgroupMembers | undefined {
    try {
      const { dev, ino } = statSync(path, { bigint: true });
      const directories = [path];
      const pids: number[] = [];
      for (let i = 0; i < directories.length; i++) {
        const directory = directories[i] as string;
        for (const pid of parseProcs(textOf(`${directory}/cgroup.procs`, i > 0))) pids.push(pid);
        for (const name of below(directory, i > 0)) {
          const next = `${directory}/${name}`;
          if (
            directories.length === MOST_CGROUPS ||
            next.split('/').length > path.split('/').length + MOST_DEEP
          )
            return undefined;
          directories.push(next);
        }
      }
      return { identity: `${dev}:${ino}`, pids, directories };
    } catch {
      return undefined;
    }
  }

  /** The numbers of a cgroup, from the hierarchies in which its directories are known. */
  numbers(parts: readonly (CgroupDirectory & { members: CgroupMembers })[]): CgroupNumbers {
    const of = (controller: string) => parts.find(({ controllers }) => controllers.includes(controller));
    const unified = of('unified')?.path;
    const cpu = of('cpu')?.path;
    const cpuacct = of('cpuacct')?.path;
    const memory = of('memory');
    const pids = of('pids')?.path ?? unified;
    const v2 = unified === undefined ? undefined : numbersOfVersion2(unified);
    return {
      cpuMs: cpuacct === undefined ? v2?.cpuMs : scaled(number(`${cpuacct}/cpuacct.usage`), 1e-6),
      ...(cpu === undefined ? throttlingOf(v2) : throttlingOfVersion1(cpu)),
      ...(memory === undefined ? memoryOf(v2) : memoryOfVersion1(memory.path, memory.members.directories)),
      pidsCount: pids === undefined ? undefined : number(`${pids}/pids.current`),
      pidsLimit: pids === undefined ? undefined : parseLimit(text(`${pids}/pids.max`)),
      cpuPressure: v2?.cpuPressure,
      memoryPressure: v2?.memoryPressure,
      ioPressure: v2?.ioPressure,
    };
  }

  #all(): readonly CgroupMount[] {
    this.#mounts ??= cgroupMounts(this.#given ?? parseMounts(procText(`${this.#proc}/self/mountinfo`)));
    return this.#mounts;
  }
}

function numbersOfVersion2(path: string): CgroupNumbers {
  const stat = parseFlatKeyed(text(`${path}/cpu.stat`));
  return {
    cpuMs: scaled(stat.get('usage_usec'), 1e-3),
    throttledMs: scaled(stat.get('throttled_usec'), 1e-3),
    periods: stat.get('nr_periods'),
    throttledPeriods: stat.get('nr_throttled'),
    oomKills: parseFlatKeyed(text(`${path}/memory.events`)).get('oom_kill'),
    memoryBytes: number(`${path}/memory.current`),
    cpuLimit: parseCpuMax(text(`${path}/cpu.max`)),
    memoryLimitBytes: parseLimit(text(`${path}/memory.max`)),
    cpuPressure: parsePressure(text(`${path}/cpu.pressure`)),
    memoryPressure: parsePressure(text(`${path}/memory.pressure`)),
    ioPressure: parsePressure(text(`${path}/io.pressure`)),
  };
}

type Throttling = Pick<CgroupNumbers, 'throttledMs' | 'periods' | 'throttledPeriods' | 'cpuLimit'>;

function throttlingOf(numbers: CgroupNumbers | undefined): Throttling {
  return {
    throttledMs: numbers?.throttledMs,
    periods: numbers?.periods,
    throttledPeriods: numbers?.throttledPeriods,
    cpuLimit: numbers?.cpuLimit,
  };
}

function throttlingOfVersion1(path: string): Throttling {
  const stat = parseFlatKeyed(text(`${path}/cpu.stat`));
  return {
    throttledMs: scaled(stat.get('throttled_time'), 1e-6),
    periods: stat.get('nr_periods'),
    throttledPeriods: stat.get('nr_throttled'),
    cpuLimit: coresOf(number(`${path}/cpu.cfs_quota_us`), number(`${path}/cpu.cfs_period_us`)),
  };
}

type Memory = Pick<CgroupNumbers, 'oomKills' | 'memoryBytes' | 'memoryLimitBytes'>;

function memoryOf(numbers: CgroupNumbers | undefined): Memory {
  return {
    oomKills: numbers?.oomKills,
    memoryBytes: numbers?.memoryBytes,
    memoryLimitBytes: numbers?.memoryLimitBytes,
  };
}

/** Version 1 counts a kill only in the cgroup of the process that was killed (mm/memcontrol.c), version 2 above it, too. */
function memoryOfVersion1(path: string, directories: readonly string[]): Memory {
  let oomKills: number | undefined;
  for (const directory of directories) {
    const kills = parseFlatKeyed(text(`${directory}/memory.oom_control`)).get('oom_kill');
    if (kills !== undefined) oomKills = (oomKills ?? 0) + kills;
  }
  return {
    oomKills,
    memoryBytes: number(`${path}/memory.usage_in_bytes`),
    memoryLimitBytes: parseLimit(text(`${path}/memory.limit_in_bytes`)),
  };
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function number(path: string): number | undefined {
  return parseNumber(text(path));
}

/** Empty if it does not exist or cannot be read. */
function text(path: string): string {
  return textOf(path, true);
}

/** `mayFail`: it is then empty; else this throws. */
function textOf(path: string, mayFail: boolean): string {
  try {
    const fd = openSync(path, 'r');
    try {
      return readAll(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!mayFail) throw error;
    return '';
  }
}

const buffer = Buffer.allocUnsafe(64 * 1024);

/** The size of such a file is 0 or a page, whatever it holds. */
function readAll(fd: number): string {
  let whole = '';
  while (whole.length < MOST_BYTES) {
    const count = readSync(fd, buffer, 0, buffer.length, null);
    if (count === 0) break;
    whole += buffer.toString('latin1', 0, count);
  }
  return whole;
}

/** The names of the cgroups in a cgroup. One below the first may have vanished. */
function below(path: string, mayFail: boolean): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (!mayFail) throw error;
    return [];
  }
}
