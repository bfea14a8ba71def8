import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Host } from '../../../src/host/host.js';
import type { Phase } from '../../../src/layout/root-paths.js';
import { encodeBoot, encodeStart } from '../../../src/layout/starts.js';
import { Records, writeTask } from '../../task/trees.js';

/** The tests need root for three users; an unprivileged caller is all three himself. */
export const AS_ROOT = process.getuid?.() === 0;
const self = process.getuid?.() ?? 0;
/** Whose the hostile task is: nobody's. */
export const OWNER = AS_ROOT ? 65_534 : self;
/** Neither root nor the task's user. */
const STRANGER = AS_ROOT ? 54_322 : self;

/** The task that something is done to, and one beside it that must stay as it is. */
export const VICTIM = 'web';
export const MATE = 'mate';
/** What files of others hold, which the owner of the tree may not read. */
export const SECRET = 'not-for-the-owner-of-the-tree';

/** Processes as a stream records them. */
export interface Recorded {
  readonly pid: number;
  readonly coordinator: number;
  /** Seconds. */
  readonly since: number;
}

/** Where the files of a task are. */
export class TaskPlaces {
  readonly taskFile: string;
  readonly checkpoint: string;
  readonly runner: string;
  readonly coordinator: string;
  readonly reasons: string;
  readonly starts: string;
  readonly sandbox: string;
  readonly logs: string;
  readonly stdout: string;

  constructor(root: string, id: string, phase: Phase) {
    this.taskFile = join(root, 'tasks', phase, id);
    this.checkpoint = join(root, 'checkpoints', id);
    this.runner = join(this.checkpoint, 'runner');
    this.coordinator = join(this.checkpoint, 'coordinator.main');
    this.reasons = join(this.checkpoint, 'reasons');
    this.starts = join(this.checkpoint, 'starts');
    this.sandbox = join(root, 'sandboxes', id);
    this.logs = join(this.sandbox, '.logs');
    this.stdout = join(this.logs, 'main', '0', 'stdout');
  }

  /** All that is the task's, as far as it is there. */
  get all(): string[] {
    return [this.taskFile, this.checkpoint, this.sandbox];
  }
}

export interface TaskSetup {
  phase: Phase;
  /** The process of the task that runs. */
  alive: Recorded;
  /** Somebody else, whose pid the stream names for a process that ran long ago, and for the runner. */
  stranger?: number;
  /** A word in all files. */
  word: string;
}

/** What a task runs: as a config, and as its task file. */
export function taskOf(name: string, word: string): object {
  const processes = ['main', 'gone'].map((name) => ({ name, cmdline: `echo ${word}`, min_duration: 0 }));
  return { name, finalization_wait: 1, processes };
}

/** Writes a task of two processes with a sandbox, as a runner that died leaves it, or one that ended it. */
export function plant(root: string, id: string, { phase, alive, stranger, word }: TaskSetup): TaskPlaces {
  const places = new TaskPlaces(root, id, phase);
  const begun = alive.since * 1000;
  const records = new Records().status('ACTIVE', begun, stranger).header({
    task_id: id,
    sandbox: places.sandbox,
    log_dir: places.logs,
    hostname: word,
    uid: OWNER,
    launch_time_ms: Math.floor(begun),
  });
  if (stranger !== undefined) {
    const forked = { state: 'FORKED' as const, coordinator_pid: stranger, fork_time: 1_400_000_001 };
    const running = { state: 'RUNNING' as const, pid: stranger, start_time: 1_400_000_002 };
    records.process('gone', 'WAITING', forked, running);
  }
  const forked = { state: 'FORKED' as const, coordinator_pid: alive.coordinator, fork_time: alive.since };
  const running = { state: 'RUNNING' as const, pid: alive.pid, start_time: alive.since };
  records.process('main', 'WAITING', forked);
  const coordinator = records.coordinator('main', running);
  if (phase === 'finished') records.process('main', running, 'SUCCESS').status('SUCCESS', begun + 1000);
  writeTask(root, id, {
    phase,
    runner: records,
    coordinators: { main: coordinator },
    task: taskOf(id, word),
  });
  writeFileSync(places.reasons, `${JSON.stringify({ time_ms: 1, code: 'task-killed', message: word })}\n`);
  writeFileSync(places.starts, startsOf(alive));
  for (const name of ['data', '.logs/main/0/stdout', '.logs/main/0/stderr']) {
    const path = join(places.sandbox, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${word} ${name}\n`);
  }
  return places;
}

/** As its runner keeps them. */
function startsOf({ pid, coordinator, since }: Recorded): string {
  const host = Host.local();
  const lines = [pid, coordinator].flatMap((each) => {
    const ticks = host.process(each)?.startTimeTicks;
    return ticks === undefined ? [] : [encodeStart({ pid: each, time: since, ticks })];
  });
  return [encodeBoot(host.bootId() ?? ''), ...lines].join('');
}

/** Gives all below a path to a user; links are not followed. */
export function give(path: string, uid: number): void {
  if (!AS_ROOT) return;
  lchownSync(path, uid, uid);
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) give(join(path, name), uid);
}

/** What is named in the tree, and what of it is the same in another task. */
interface Role {
  readonly directory?: true;
  /** In the sandbox: what is above it is root's, as of a task that root runs as a user. */
  readonly inSandbox?: true;
  readonly path: (places: TaskPlaces) => string;
}

export const ROLES = {
  runner: { path: ({ runner }) => runner },
  coordinator: { path: ({ coordinator }) => coordinator },
  reasons: { path: ({ reasons }) => reasons },
  starts: { path: ({ starts }) => starts },
  'task-file': { path: ({ taskFile }) => taskFile },
  stdout: { inSandbox: true, path: ({ stdout }) => stdout },
  stderr: { inSandbox: true, path: ({ stdout }) => join(dirname(stdout), 'stderr') },
  'run-dir': { directory: true, inSandbox: true, path: ({ stdout }) => dirname(stdout) },
  'process-dir': { directory: true, inSandbox: true, path: ({ logs }) => join(logs, 'main') },
  'log-dir': { directory: true, inSandbox: true, path: ({ logs }) => logs },
  checkpoint: { directory: true, path: ({ checkpoint }) => checkpoint },
  'tasks-active': { directory: true, path: ({ taskFile }) => join(dirname(dirname(taskFile)), 'active') },
  sandbox: { directory: true, inSandbox: true, path: ({ sandbox }) => sandbox },
} as const satisfies Record<string, Role>;
export type RoleName = keyof typeof ROLES;
export const role = (name: RoleName): Role => ROLES[name];

/** A thing to be spoiled; `twin` is the same thing of a task of somebody else. */
interface Subject {
  readonly path: string;
  readonly directory: boolean;
  readonly twin: string;
  /** A file and a directory of somebody else, and a name that nothing has, in a place that he may change. */
  readonly file: string;
  readonly folder: string;
  readonly nowhere: string;
}

/** Makes a node that Node can't make; false if it may not be made here. */
function perl(code: string, ...args: string[]): boolean {
  return spawnSync('perl', ['-e', code, ...args]).status === 0;
}

const replace = (path: string) => rmSync(path, { recursive: true, force: true });

const LARGEST = `for my $bits (63, 62, 60, 56, 52, 48, 44, 42, 40) {
  exit 0 if truncate($ARGV[0], $bits == 63 ? 9223372036854775807 : 1 << $bits);
}
exit 1`;

/** Each takes what is there away, or changes it. */
export const KINDS = {
  fifo({ path }) {
    replace(path);
    spawnSync('mkfifo', ['-m', '644', path]);
  },
  socket({ path }) {
    replace(path);
    const bind = 'use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un($ARGV[0])) or die';
    perl(bind, path);
  },
  directory({ path, directory }) {
    replace(path);
    mkdirSync(path);
    if (!directory) writeFileSync(join(path, 'file'), 'in a directory where a file should be\n');
  },
  device({ path }) {
    replace(path);
    const made = AS_ROOT && spawnSync('mknod', ['-m', '666', path, 'c', '1', '5']).status === 0;
    if (!made) symlinkSync('/dev/zero', path);
  },
  'link-to-file'({ path, directory, twin, file }) {
    replace(path);
    symlinkSync(directory ? file : twin, path);
  },
  'link-to-directory'({ path, directory, twin, folder }) {
    replace(path);
    symlinkSync(directory ? twin : folder, path);
  },
  'dangling-link'({ path, nowhere }) {
    replace(path);
    symlinkSync(nowhere, path);
  },
  'link-loop'({ path }) {
    replace(path);
    symlinkSync(path, path);
  },
  sparse({ path, directory }) {
    if (directory) {
      replace(path);
      writeFileSync(path, '');
    }
    if (!perl(LARGEST, path)) throw new Error(`${path} can't be made large`);
  },
  unreadable({ path }) {
    chmodSync(path, 0);
  },
  foreign({ path, directory }) {
    if (AS_ROOT) return chownSync(path, STRANGER, STRANGER);
    // Nobody else can give files away: what is somebody else's is root's.
    replace(path);
    symlinkSync(directory ? '/etc' : '/etc/passwd', path);
  },
  writable({ path, directory }) {
    chmodSync(path, directory ? 0o777 : 0o666);
  },
  'hard-link'({ path, directory, twin }) {
    const link = (from: string, to: string): void => {
      if (!existsSync(from)) return;
      if (lstatSync(to).isDirectory()) {
        for (const name of readdirSync(to)) link(join(from, name), join(to, name));
      } else {
        replace(to);
        linkSync(from, to);
      }
    };
    // A directory has no second name: the files in it have.
    if (directory || existsSync(twin)) link(twin, path);
  },
} as const satisfies Record<string, (subject: Subject) => void>;
export type KindName = keyof typeof KINDS;

/** Puts something hostile in the place of one thing of a task, as the task's user could have done it. */
export function spoil(kind: KindName, name: RoleName, victim: TaskPlaces, twin: TaskPlaces): void {
  const { directory = false, path } = role(name);
  const subject = {
    path: path(victim),
    directory,
    twin: path(twin),
    file: twin.stdout,
    folder: twin.checkpoint,
    nowhere: join(dirname(twin.checkpoint), 'nowhere'),
  };
  KINDS[kind](subject);
  if (kind !== 'hard-link' && kind !== 'foreign') give(subject.path, OWNER);
}
