import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RootOptions } from '../../src/discovery/roots.js';
import { selectTasks } from '../../src/discovery/select.js';
import { type Diagnosis, diagnoseHost, type Examination } from '../../src/doctor/diagnose.js';
import { Host } from '../../src/host/host.js';
import { makeRun, optionsIn } from '../discovery/trees.js';
import { type MadeUpProc, makeProc, RAN, Records, writeTask } from '../task/trees.js';
import { slaveInfo } from './protobuf.js';

export const HOSTNAME = 'node-1';
export const BOOT_ID = '0b5c7a64-8f2d-4a41-9f5e-6f2f0c1d2e3f';

/** A made-up machine in a directory: its /proc, /etc, logs, a task root and a Mesos work directory. */
export class MadeUpHost {
  readonly path: string;
  readonly root: string;
  readonly workDir: string;
  readonly logs: string;
  readonly now = Date.now();

  constructor(path: string) {
    this.path = path;
    this.root = join(path, 'root');
    this.workDir = join(path, 'mesos');
    this.logs = join(path, 'log');
    this.proc({});
    this.write('proc/sys/kernel/random/boot_id', `${BOOT_ID}\n`);
    this.write('proc/self/mountinfo', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n');
    this.write('etc/passwd', 'root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n');
  }

  /** No lock is held unless `made` has it. */
  proc(made: MadeUpProc): void {
    makeProc(join(this.path, 'proc'), { locks: '', bootTime: 1_399_000_000, ...made });
  }

  write(name: string, content: string | Buffer): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  age(path: string, milliseconds: number): void {
    const seconds = (this.now - milliseconds) / 1000;
    utimesSync(path, seconds, seconds);
  }

  /** A task that is over, and nothing is wrong with it. */
  finishedTask(id: string, root = this.root): string {
    return writeTask(root, id, {
      phase: 'finished',
      task: { name: id, processes: [{ name: 'p', cmdline: 'true' }] },
      runner: new Records()
        .status('ACTIVE')
        .header(this.header(id))
        .process('p', ...RAN)
        .status('SUCCESS'),
    });
  }

  header(task_id: string) {
    const sandbox = join(this.path, 'sandboxes', task_id);
    mkdirSync(sandbox, { recursive: true });
    return {
      task_id,
      launch_time_ms: 1_400_000_000_000,
      sandbox,
      log_dir: `${sandbox}/.logs`,
      hostname: HOSTNAME,
      user: 'www-data',
      uid: 33,
    };
  }

  /** A sound agent: its identity, its attributes, this boot. */
  agent(attributes = ['host', 'rack']): void {
    this.write('mesos/meta/boot_id', BOOT_ID);
    this.write('mesos/meta/slaves/S0/slave.info', slaveInfo(HOSTNAME, ...attributes));
    symlinkSync(join(this.workDir, 'meta/slaves/S0'), join(this.workDir, 'meta/slaves/latest'));
    mkdirSync(join(this.workDir, 'slaves/S0/frameworks'), { recursive: true });
  }

  /** It runs, and this machine's configuration names its directory. */
  agentRuns(pid: number, startedSeconds: number): void {
    this.proc({ processes: { [pid]: { startTicks: (startedSeconds - 1_399_000_000) * 100 } } });
    this.write(`proc/${pid}/cmdline`, `/usr/sbin/mesos-agent\0--work_dir=${this.workDir}\0`);
  }

  /** The sandbox of an executor, with what it wrote; old enough that it is not just starting. */
  run(task: string, files: Record<string, string>, container = 'C0', agent = 'S0'): string {
    const run = makeRun(this.workDir, `thermos-${task}`, container, agent);
    for (const [name, text] of Object.entries(files)) {
      this.age(this.write(`${run.slice(this.path.length + 1)}/${name}`, text), 3_600_000);
    }
    this.age(run, 3_600_000);
    return run;
  }

  options(given: Partial<RootOptions> = {}): RootOptions {
    return optionsIn(this.path, {
      flags: { root: [this.root], mesosRoot: [this.workDir] },
      ...given,
      places: { proc: join(this.path, 'proc'), etc: join(this.path, 'etc'), ...given.places },
    });
  }

  examination(options = this.options()): Examination {
    return {
      options,
      host: Host.local({ proc: join(this.path, 'proc'), passwd: join(this.path, 'etc/passwd'), euid: 0 }),
      now: this.now,
      hostname: HOSTNAME,
      logPlaces: { directory: this.logs, system: [join(this.path, 'syslog')] },
    };
  }

  diagnose(options = this.options()): Diagnosis {
    return diagnoseHost(selectTasks(options, [], 'look'), this.examination(options));
  }
}
