import { type RootFlagValues, thermosCommand } from '../discovery/advised-command.js';
import { counted } from '../text/count.js';
import { shellWords } from '../text/shell.js';
import { size } from '../text/size.js';
import type { FindingEvidence, Symptom } from './finding.js';

/** A file system that tasks or their checkpoints are on. */
export interface Disk {
  /** A directory on it. */
  path: string;
  mountPoint?: string;
  readOnly: boolean;
  /** In bytes: the size, and the free space that is available to everybody. */
  bytes: number;
  available: number;
  /** In bytes, with the space reserved for root, which the agent counts as free. */
  free: number;
  /** 0 if the file system has no fixed number of inodes. */
  inodes: number;
  freeInodes: number;
  /** Set if a Mesos agent works here: below this share of free space, it removes sandboxes early. */
  headroom?: number;
  /** Tasks run here, or it is a default place for them. */
  inUse: boolean;
}

/** The shares of available space below which the disk counts as full, and as nearly full. */
const FULL = 0.01;
const NEARLY_FULL = 0.05;

/** Finds full and read-only file systems. `roots`: those that the person named. Pure. */
export function* checkDisk(disk: Disk, roots: RootFlagValues): Generator<Symptom> {
  const { path, mountPoint = path, bytes, available, inodes, freeInodes } = disk;
  const evidence: FindingEvidence[] = [{ path, text: usageText(disk) }];
  if (disk.readOnly) {
    yield {
      code: 'disk-read-only',
      severity: disk.inUse ? 'error' : 'note',
      cause: mountPoint,
      what: () => `${mountPoint} is mounted read-only: no checkpoint can be written there`,
      evidence: [{ path, text: 'mounted ro' }],
      advice: [
        `look for file system errors in the kernel's log (dmesg), then: ${shellWords(['mount', '-o', 'remount,rw', mountPoint])}`,
      ],
    };
    return;
  }
  if (bytes > 0 && available / bytes < FULL) {
    yield {
      code: 'disk-full',
      severity: 'error',
      cause: mountPoint,
      what: () => `the disk at ${mountPoint} is full: runners cannot record what happens, and tasks fail`,
      evidence,
      advice: freeSpaceAdvice(disk, roots),
    };
  } else if (bytes > 0 && disk.headroom !== undefined && 1 - disk.free / bytes + disk.headroom >= 1) {
    yield {
      code: 'disk-pressure',
      severity: 'warning',
      cause: mountPoint,
      what: () =>
        `the disk at ${mountPoint} is so full that the Mesos agent removes finished sandboxes at once, including their logs`,
      evidence,
      advice: [
        'free space to keep logs longer; see gc_disk_headroom and disk_watch_interval of the agent',
        ...freeSpaceAdvice(disk, roots),
      ],
    };
  } else if (bytes > 0 && available / bytes < NEARLY_FULL) {
    yield {
      code: 'disk-nearly-full',
      severity: 'warning',
      cause: mountPoint,
      what: () => `the disk at ${mountPoint} is nearly full`,
      evidence,
      advice: freeSpaceAdvice(disk, roots),
    };
  }
  if (inodes > 0 && freeInodes / inodes < FULL) {
    yield {
      code: 'disk-no-inodes',
      severity: 'error',
      cause: mountPoint,
      what: () =>
        `the disk at ${mountPoint} has no inodes left: no file can be created there, however much space is free`,
      evidence: [{ path, text: `${counted(freeInodes, 'inode')} of ${inodes} free` }],
      advice: ['remove directories with many small files', ...freeSpaceAdvice(disk, roots)],
    };
  }
}

function freeSpaceAdvice({ headroom }: Disk, roots: RootFlagValues): string[] {
  const gc = ['gc', '--dry-run', ...(headroom === undefined ? [] : ['--include-mesos'])];
  return [`see how much space finished tasks use: ${thermosCommand(gc, roots)}`];
}

function usageText({ bytes, available }: Disk): string {
  const share = bytes > 0 ? Math.round((100 * available) / bytes) : 0;
  return `${size(available)} of ${size(bytes)} free (${share}%)`;
}
