import type { CheckpointRecord } from '../checkpoint/records.js';
import { badValue, describeErrno } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { makeDirectory } from '../host/make-directory.js';
import { backupName } from '../layout/backups.js';
import { RUNNER_LOG } from '../layout/mesos.js';
import { appendBounded } from '../store/append-line.js';
import { statFile } from '../store/look.js';
import { visible } from '../text/escape.js';

const SEVERITIES = ['DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL', 'NONE'] as const;
type LogLevel = (typeof SEVERITIES)[number];

/**
 * The level in the value of the original's `--log_to_…`, where it may come after the name of a format, which changes
 * nothing here. Throws UsageError.
 */
export function levelOf(flag: string, value: string | undefined): LogLevel | undefined {
  if (value === undefined) return undefined;
  const level = SEVERITIES.find((each) => each === value.replace(/^(google|plain):/, ''));
  if (level === undefined) throw badValue(flag, 'DEBUG, INFO, WARN, ERROR, FATAL or NONE', value);
  return level;
}

/** At this size, the log is moved to the name of the one before. */
const MOST_BYTES = 10 * 1024 * 1024;

export interface RunnerLogOptions {
  /** Absolute; without it, everything goes to stderr. */
  directory?: string;
  /** The least severe level of each. Default: DEBUG; ERROR, or INFO if there is no other log. */
  disk?: LogLevel;
  stderr?: LogLevel;
  pid: number;
  now(): Date;
  writeError(text: string): void;
}

/**
 * The log of a runner that nobody watches, in the form of the original's. It never fails: what cannot be written to the
 * file goes to stderr, after a warning.
 */
export class RunnerLog {
  readonly #options: RunnerLogOptions;
  readonly #disk: number;
  readonly #stderr: number;
  /** Of stderr, for what is not in the file. */
  readonly #instead: number;
  #isFailing = false;
  #owners: ReadonlySet<number> | undefined;

  constructor(options: RunnerLogOptions) {
    const { directory, disk = 'DEBUG', stderr } = options;
    this.#options = options;
    this.#disk = rankOf(directory === undefined ? 'NONE' : disk);
    this.#stderr = rankOf(stderr ?? (directory === undefined ? 'INFO' : 'ERROR'));
    this.#instead = rankOf(stderr ?? 'INFO');
  }

  write(level: LogLevel, text: string): void {
    const { now, pid, writeError } = this.#options;
    const rank = rankOf(level);
    const line = logLine(level, text, now(), pid);
    const isLost = rank >= this.#disk && !this.#append(line);
    if (rank >= (isLost ? this.#instead : this.#stderr)) writeError(line);
  }

  problem({ severity, message, hint }: Problem): void {
    const level = severity === 'error' ? 'ERROR' : severity === 'warning' ? 'WARN' : 'INFO';
    this.write(level, hint === undefined ? message : `${message} (${hint})`);
  }

  record(record: CheckpointRecord): void {
    this.write('INFO', recordText(record));
  }

  /** False if it cannot be written; the next line may be. */
  #append(line: string): boolean {
    const { writeError, now, pid } = this.#options;
    const directory = this.#options.directory as string;
    try {
      if (this.#owners === undefined) makeDirectory(directory);
      // The owner of the directory may own the log, too.
      this.#owners ??= new Set([0, process.geteuid?.() ?? 0, statFile(directory)?.uid ?? 0]);
      appendBounded(`${directory}/${RUNNER_LOG}`, line, backupName(RUNNER_LOG, 1), {
        below: directory,
        max: MOST_BYTES,
        trusted: this.#owners,
      });
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing)
        writeError(logLine('WARN', `cannot log in ${directory}: ${describeErrno(error)}`, now(), pid));
      this.#isFailing = true;
      return false;
    }
  }
}

function rankOf(level: LogLevel): number {
  return SEVERITIES.indexOf(level);
}

/** In the form of glog, as the original: `I1127 05:12:19.123000 PID thermos-runner:0] TEXT`. Local time. Pure. */
export function logLine(level: LogLevel, text: string, at: Date, pid: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${two(at.getMonth() + 1)}${two(at.getDate())}`;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  const micros = `${String(at.getMilliseconds()).padStart(3, '0')}000`;
  return `${level[0]}${day} ${time}.${micros} ${pid} thermos-runner:0] ${visible(text)}\n`;
}

/** Pure. */
export function recordText({ type, value }: CheckpointRecord): string {
  switch (type) {
    case 'runner_header':
      return `task ${value.task_id} of ${value.user} (uid ${value.uid}), sandbox ${value.sandbox}, logs ${value.log_dir}`;
    case 'task_status':
      return `the task is ${value.state}`;
    case 'process_status': {
      const { process, state, coordinator_pid, pid, return_code } = value;
      const more = Object.entries({ coordinator_pid, pid, return_code }).filter(
        ([, each]) => each !== undefined,
      );
      return [
        `process ${JSON.stringify(process)} is ${state}`,
        ...more.map(([name, each]) => `${name} ${each}`),
      ].join(', ');
    }
  }
}
