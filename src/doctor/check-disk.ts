import { size } from '../text/size.js';
import { counted, type FindingEvidence, type Symptom } from './finding.js';

/** A file system that tasks or their checkpoints are on. */
export interface Disk {
  /** A directory on it. */
  path: string;
  mountPoint?: string;
  readOnly: boolean;
  /** Bytes: of all, and free for everybody but root. */
  bytes: number;
  available: number;
  /** Free blocks and all blocks, as the agent counts. */
  free: number;
  /** 0 where the file system has no fixed number of them. */
  inodes: number;
  freeInodes: number;
  /** A Mesos agent works here, and starts to remove sandboxes early from this share of free space on. */
  headroom?: number;
  /** Somebody is to write here: tasks run, or it is a default place for them. */
  inUse: boolean;
}

/** Below this share nobody should have to start anything. */
const FULL = 0.01;
const NEARLY_FULL = 0.05;

/** Full and read-only file systems. Pure. */
export function* checkDisk(disk: Disk): Generator<Symptom> {
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
        `look for file system errors in the kernel's log (dmesg), then: mount -o remount,rw ${mountPoint}`,
      ],
    };
    return;
  }
  if (bytes > 0 && available / bytes < FULL) {
    yield {
      code: 'disk-full',
      severity: 'error',
      cause: mountPoint,
      what: () => `the disk at ${mountPoint} is full: runners can not record what happens, and tasks fail`,
      evidence,
      advice: freeSpaceAdvice(disk),
    };
  } else if (bytes > 0 && disk.headroom !== undefined && 1 - disk.free / bytes + disk.headroom >= 1) {
    yield {
      code: 'disk-pressure',
      severity: 'warning',
      cause: mountPoint,
      what: () =>
        `the disk at ${mountPoint} is so full that the Mesos agent removes finished sandboxes at once, logs and all`,
      evidence,
      advice: [
        'free space to keep logs longer; see gc_disk_headroom and disk_watch_interval of the agent',
        ...freeSpaceAdvice(disk),
      ],
    };
  } else if (bytes > 0 && available / bytes < NEARLY_FULL) {
    yield {
      code: 'disk-nearly-full',
      severity: 'warning',
      cause: mountPoint,
      what: () => `the disk at ${mountPoint} is nearly full`,
      evidence,
      advice: freeSpaceAdvice(disk),
    };
  }
  if (inodes > 0 && freeInodes / inodes < FULL) {
    yield {
      code: 'disk-no-inodes',
      severity: 'error',
      cause: mountPoint,
      what: () =>
        `the disk at ${mountPoint} has no inodes left: no file can be made there, whatever space is free`,
      evidence: [{ path, text: `${counted(freeInodes, 'inode')} of ${inodes} free` }],
      advice: ['remove directories of many small files', ...freeSpaceAdvice(disk)],
    };
  }
}

function freeSpaceAdvice({ headroom }: Disk): string[] {
  const gc = headroom === undefined ? 'thermos gc --dry-run' : 'thermos gc --dry-run --include-mesos';
  return [`see what finished tasks hold: ${gc}`];
}

function usageText({ bytes, available }: Disk): string {
  const share = bytes > 0 ? Math.round((100 * available) / bytes) : 0;
  return `${size(available)} of ${size(bytes)} free (${share}%)`;
}
