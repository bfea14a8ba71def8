import { CheckpointWriter } from '../checkpoint/writer.js';
import { SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { Account } from '../host/accounts.js';
import { isForThisMachine } from '../host/executable.js';
import { groupsOfAccount } from '../host/groups.js';
import { presenceUnlessShort } from '../store/look.js';
import type { RunnerEvents, RunSettings } from './api.js';
import { containerizedCommand } from './containerizer.js';
import type { Job } from './coordinator/job.js';
import { type Launch, launch, UnusableError } from './launch.js';
import type { OpenedTask } from './open.js';
import { PROFILE, profileOf } from './profile.js';
import { DEFAULT_LOGGER, type RunnableProcess } from './task-document.js';

/** A run to start; `seq` is that of its FORKED. */
export interface Start {
  readonly process: string;
  /** 0 for the first run; also the name of its log directory. */
  readonly index: number;
  readonly seq: number;
}

/** Starts the coordinators of a task's processes, with the environment of their commands. */
export class Starter {
  readonly #opened: OpenedTask;
  readonly #settings: RunSettings;
  readonly #byName: ReadonlyMap<string, RunnableProcess>;
  readonly #report: (problem: Problem) => void;
  readonly #note: RunnerEvents['note'];
  /** Undefined once it has turned out to be unusable. */
  #native: string | undefined;
  #isNativeChecked = false;
  #groups: readonly number[] | undefined;
  #isProfileReported = false;

  constructor(
    opened: OpenedTask,
    settings: RunSettings,
    report: (problem: Problem) => void,
    note: RunnerEvents['note'],
  ) {
    this.#opened = opened;
    this.#note = note;
    this.#native = settings.coordinator.native;
    this.#settings = settings;
    this.#byName = new Map(opened.task.processes.map((process) => [process.name, process]));
    this.#report = report;
  }

  /**
   * Returns the pid of the coordinator once FORKED is written; `ended` is called when it has ended. Throws like `launch`,
   * and errors that say why the process cannot be started.
   */
  async start(
    { process, index, seq }: Start,
    { forked, ended, waiting, signal }: Pick<Launch, 'forked' | 'ended' | 'waiting' | 'signal'>,
  ): Promise<number> {
    const { place, root, account, userName, sandbox } = this.#opened;
    const { chroot, console, now, writer } = this.#settings;
    if (account === undefined) throw new Error(`there is no user ${userName} here`);
    if (presenceUnlessShort(sandbox) !== 'directory') throw new Error(`${sandbox} is not a directory`);
    if (chroot && presenceUnlessShort(`${sandbox}/bin/bash`) === 'absent') {
      throw new Error(`there is no /bin/bash in ${sandbox}, which would be its root directory`);
    }
    const stream = root.paths.coordinator(process);
    if (stream === undefined) throw new Error('file name too long');
    const job = this.#job(process, index, account);
    return await this.#launch({
      open: () => root.openCoordinator(process, account.uid),
      stream,
      job,
      seq,
      taskId: place.taskId,
      console,
      now: () => now() / 1000,
      writer: writer ?? ((fd) => new CheckpointWriter(fd)),
      forked,
      ended,
      waiting,
      signal,
    });
  }

  /** Without the coordinator in C, from the first time that it cannot be executed. */
  async #launch(options: Omit<Launch, 'program'>): Promise<number> {
    const { script, nativeOnly } = this.#settings.coordinator;
    const path = this.#native;
    if (path !== undefined) {
      try {
        this.#checkNative(path);
        return await launch({
          ...options,
          program: { kind: 'native', path, groups: this.#allGroups(options.job.account) },
        });
      } catch (error) {
        if (!(error instanceof UnusableError)) throw error;
        if (nativeOnly) throw new SystemError('install-incomplete', error.message);
        if (this.#native !== undefined) this.#note?.(`${error.message}; Node watches the processes instead`);
        this.#native = undefined;
      }
    }
    return await launch({ ...options, program: { kind: 'script', path: script } });
  }

  #checkNative(path: string): void {
    if (!this.#isNativeChecked && !isForThisMachine(path)) {
      throw new UnusableError(`${path} is not a program for this machine`);
    }
    this.#isNativeChecked = true;
  }

  #allGroups(account: Account | undefined): readonly number[] {
    if (account === undefined) return [];
    this.#groups ??= groupsOfAccount(account);
    return this.#groups;
  }

  #job(name: string, index: number, account: Account): Omit<Job, 'head'> {
    const { sandbox, logDir } = this.#opened;
    const { chroot, logger, umask, openFiles } = this.#settings;
    const { cmdline, ...process_ } = this.#byName.get(name) as RunnableProcess;
    const command = this.#command(cmdline, account);
    return {
      process: name,
      ...command,
      cwd: sandbox,
      chroot: chroot ? sandbox : undefined,
      umask,
      openFiles,
      logs: `${logDir}/${name}/${index}`,
      logger: { ...DEFAULT_LOGGER, ...logger, ...process_.logger },
    };
  }

  /** A command line with its environment, and the user to switch to. */
  #command(cmdline: string, account: Account): Pick<Job, 'cmdline' | 'env' | 'account'> {
    const { containerizer } = this.#settings;
    const env = this.#environment(account);
    if (containerizer === undefined)
      return { cmdline, env, account: account.uid === process.geteuid?.() ? undefined : account };
    const { BASH_ENV: profile, ...others } = env;
    return {
      cmdline: containerizedCommand(cmdline, { user: account.name, profile }, containerizer),
      env: others,
    };
  }

  #environment(account: Account): Record<string, string> {
    const { chroot, containerizer, preserveEnv } = this.#settings;
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(preserveEnv ? process.env : {})) {
      if (value !== undefined) env[name] = value;
    }
    const home = chroot ? '/' : (containerizer?.sandbox ?? this.#opened.sandbox);
    Object.assign(env, { HOME: home, LOGNAME: account.name, USER: account.name });
    if (process.env.PATH !== undefined) env.PATH = process.env.PATH;
    const profile = this.#profile(account);
    if (profile !== undefined) env.BASH_ENV = profile;
    return env;
  }

  #profile({ uid }: Account): string | undefined {
    const { chroot, containerizer } = this.#settings;
    const inImage = containerizer?.sandbox;
    const sandbox = inImage === undefined ? this.#opened.sandbox : `${containerizer?.rootfs}${inImage}`;
    const found = profileOf(sandbox, uid, chroot);
    if (found?.refusal !== undefined && !this.#isProfileReported) {
      this.#isProfileReported = true;
      const path = `${sandbox}/${PROFILE}`;
      const message = `${path} is not read, because others could have written it: ${found.refusal}`;
      const hint = found.remedy && `if it is correct: ${found.remedy}`;
      this.#report({ code: 'profile-untrusted', severity: 'warning', message, path, hint });
    }
    return inImage !== undefined && found?.path !== undefined ? `${inImage}/${PROFILE}` : found?.path;
  }
}
