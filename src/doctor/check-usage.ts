import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import { LAYOUTS } from '../layout/layouts.js';
import type { TaskView } from '../task/view.js';
import { duration } from '../text/age.js';
import { counted } from '../text/count.js';
import { size } from '../text/size.js';
import type { TaskUse } from '../top/task-use.js';
import type { CommandAdvice, Symptom } from './finding.js';

/** What two looks at an active task say of it. What is unknown is undefined. */
export interface ObservedUse {
  readonly view: Pick<TaskView, 'task_id' | 'root' | 'layout' | 'sandbox'>;
  /** At the second look. */
  readonly use: TaskUse;
  /** Cores, between the looks. */
  readonly cpu?: number;
  /** The part of the periods of its limit in which it reached the limit, between the looks. */
  readonly throttledShare?: number;
  /** Memory in which shared pages count in parts; only if the resident memory is above what was asked for. */
  readonly pssBytes?: number;
  /** By how much its disk use grew, and in which time. */
  readonly grown?: { readonly bytes: number; readonly ms: number };
  /** What the file system of the sandbox has left for everybody, in bytes. */
  readonly availableBytes?: number;
}

/** Noise is below. */
const CLEARLY = 1.1;
const OFTEN_THROTTLED = 0.1;
const NEAR_LIMIT = 0.9;
/** Growth that fills the disk later is not worth a word: it may end long before. */
const SOON_MS = 3_600_000;
/** A log that grows a little is not what fills a disk. */
const LEAST_GROWTH_BYTES = 1024 * 1024;

/** Finds tasks that use more than they asked for, or suffer from a limit. Pure. */
export function* checkUsage(seen: ObservedUse): Generator<Symptom> {
  yield* checkCpu(seen);
  yield* checkThrottling(seen);
  yield* checkMemory(seen);
  yield* checkPids(seen);
  yield* checkDiskUse(seen);
  yield* checkGrowth(seen);
}

/** Nobody may need the processor: it is only worth knowing. */
function* checkCpu({ view, use, cpu }: ObservedUse): Generator<Symptom> {
  const asked = use.asked.cpu;
  const { cpuAverage } = use;
  if (asked === undefined || cpu === undefined || cpuAverage === undefined) return;
  // What is busy for a moment, or was once, is not busy.
  if (Math.min(cpu, cpuAverage) <= asked * CLEARLY) return;
  yield {
    code: 'cpu-exceeded',
    severity: 'note',
    what: (count) => `${counted(count, 'task')} using more processor time than asked for`,
    evidence: [
      {
        text: `${rounded(cpu)} cores now, and ${rounded(cpuAverage)} on average since its processes started; it asked for ${rounded(asked)}`,
      },
    ],
    advice: [seeTop(view), 'ask for more cpu in the config: others may need what it takes'],
    task_id: view.task_id,
  };
}

function* checkThrottling({ view, use, throttledShare }: ObservedUse): Generator<Symptom> {
  const share = use.throttledShare ?? throttledShare;
  if (share === undefined || share <= OFTEN_THROTTLED) return;
  const since = use.throttledShare === undefined ? 'just now' : 'since its cgroup was made';
  const limit = use.limits?.cpu;
  yield {
    code: 'cpu-throttled',
    severity: 'warning',
    what: (count) => `${counted(count, 'task')} held back by a limit of processor time`,
    evidence: [
      {
        text: `in ${Math.round(share * 100)}% of the periods ${since}${limit === undefined ? '' : `; the limit is ${rounded(limit)} cores`}`,
      },
    ],
    advice: [seeTop(view), 'ask for more cpu in the config, or let fewer threads work at once'],
    task_id: view.task_id,
  };
}

function* checkMemory({ view, use, pssBytes }: ObservedUse): Generator<Symptom> {
  const { oomKills = 0, limits, pids } = use;
  if (oomKills > 0) {
    const limit = limits?.memoryBytes === undefined ? '' : `; the limit is ${size(limits.memoryBytes)}`;
    yield {
      code: 'oom-killed',
      severity: 'warning',
      what: (count) => `${counted(count, 'task')} in which the kernel killed processes for lack of memory`,
      evidence: [{ text: `${counted(oomKills, 'process', 'processes')} since its cgroup was made${limit}` }],
      advice: [
        'see in the kernel log which processes it killed: journalctl --dmesg --grep oom-kill',
        'ask for more ram in the config',
      ],
      task_id: view.task_id,
    };
  }
  const asked = use.asked.ram;
  if (asked === undefined || pssBytes === undefined || pssBytes <= asked) return;
  yield {
    code: 'ram-exceeded',
    severity: 'warning',
    what: (count) => `${counted(count, 'task')} using more memory than asked for`,
    evidence: [
      {
        text: `${size(pssBytes)}${pids === undefined ? '' : ` in ${counted(pids, 'pid')}`}, of ${size(asked)} asked for`,
      },
    ],
    advice: [seeTop(view), 'ask for more ram in the config: with a limit, the kernel kills such a task'],
    task_id: view.task_id,
  };
}

function* checkPids({ view, use }: ObservedUse): Generator<Symptom> {
  const { pidsCount, limits } = use;
  if (pidsCount === undefined || limits?.pids === undefined || pidsCount < limits.pids * NEAR_LIMIT) return;
  yield {
    code: 'pids-near-limit',
    severity: 'warning',
    what: (count) => `${counted(count, 'task')} near the limit of processes and threads`,
    evidence: [{ text: `${pidsCount} of ${limits.pids} that its cgroup may have` }],
    advice: [seeTop(view), 'end what is not needed, or raise the limit: fork fails beyond it'],
    task_id: view.task_id,
  };
}

function* checkDiskUse({ view, use }: ObservedUse): Generator<Symptom> {
  const asked = use.asked.disk;
  const { disk } = use;
  if (asked === undefined || disk === undefined || disk.bytes <= asked) return;
  const executor = LAYOUTS[view.layout].ownsSandboxes ? ": Aurora's executor may end such a task" : '';
  yield {
    code: 'disk-exceeded',
    severity: 'warning',
    what: (count) => `${counted(count, 'task')} using more disk than asked for`,
    evidence: [
      {
        path: view.sandbox?.path,
        text: `sandbox and logs occupy ${disk.atLeast ? 'more than ' : ''}${size(disk.bytes)}, of ${size(asked)} asked for`,
      },
    ],
    advice: [seeFiles(view), `ask for more disk in the config, or let its logs be rotated${executor}`],
    task_id: view.task_id,
  };
}

function* checkGrowth({ view, grown, availableBytes }: ObservedUse): Generator<Symptom> {
  if (grown === undefined || availableBytes === undefined || grown.bytes < LEAST_GROWTH_BYTES) return;
  const fullInMs = (availableBytes / grown.bytes) * grown.ms;
  if (!(fullInMs < SOON_MS)) return;
  yield {
    code: 'disk-filling',
    severity: 'warning',
    what: (count) => `${counted(count, 'task')} filling the disk`,
    evidence: [
      {
        path: view.sandbox?.path,
        text: `grew by ${size(grown.bytes)} in ${duration(grown.ms)}; the ${size(availableBytes)} that are free last for ${duration(fullInMs)} at that rate`,
      },
    ],
    advice: [seeFiles(view), 'free space, or end the task before its disk is full'],
    task_id: view.task_id,
  };
}

function rounded(cores: number): number {
  return Math.round(cores * 100) / 100;
}

function seeTop({ root, task_id }: ObservedUse['view']): CommandAdvice {
  return {
    text: 'see what uses it',
    names: [task_id],
    // What each process uses, an agent does not know.
    command: (ids) =>
      thermosCommand(root.agent === undefined ? ['top', '--processes'] : ['top'], rootFlagsOf(root), ids),
  };
}

function seeFiles({ sandbox, root, task_id }: ObservedUse['view']): string | CommandAdvice {
  if (sandbox === undefined) return 'see what is in its log directory';
  return {
    text: 'see what is in it',
    names: [task_id],
    most: 1,
    command: (ids) => thermosCommand(['ls'], rootFlagsOf(root), ids),
  };
}
