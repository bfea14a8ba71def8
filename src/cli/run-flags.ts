import * as Flags from '@oclif/core/flags';
import type { RunOptions } from '../app/run-spec.js';
import type { RootFlags } from '../app/search.js';
import { EXIT_MEANINGS, type ExitMeanings } from '../errors/exit-codes.js';
import type { Destination, LoggerPolicy } from '../runner/task-document.js';

const MIB = 1024 * 1024;

/** The flags that `run` and `simplerun` share; names and defaults are the original's. */
export const RUN_FLAGS = {
  'task-id': Flags.string({
    helpValue: 'ID',
    summary: 'The id of the task. [default: its name and the time]',
  }),
  user: Flags.string({ helpValue: 'NAME', summary: 'Run as this user; only root may run as another user.' }),
  sandbox: Flags.string({
    helpValue: 'PATH',
    summary:
      'Directory to run in, created if missing. [default: ROOT/sandboxes/TASK_ID; $MESOS_SANDBOX/sandbox if that is set]',
  }),
  environment: Flags.string({
    char: 'E',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
    summary: 'Replace {{NAME}} with VALUE; may be repeated.',
  }),
  port: Flags.string({
    char: 'P',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME:PORT',
    summary: 'Replace {{thermos.ports[NAME]}} with PORT; may be repeated.',
  }),
  daemon: Flags.boolean({ summary: 'Return when the task has started, and print its id.' }),
  'preserve-env': Flags.boolean({
    summary: 'Give processes your whole environment, not only HOME, LOGNAME, USER and PATH.',
  }),
  hostname: Flags.string({
    helpValue: 'NAME',
    summary: 'The host name to record. [default: that of this host]',
  }),
  'max-runs': Flags.integer({
    min: 1,
    default: 100,
    helpValue: 'N',
    summary: 'The most runs that each process can have, however they end.',
  }),
  'process-logger-destination': Flags.string({
    options: ['file', 'console', 'both', 'none'],
    summary: 'Where output goes if a process does not say.',
  }),
  'process-logger-mode': Flags.string({
    options: ['standard', 'rotate'],
    summary: 'How log files are written if a process does not say.',
  }),
  'rotate-log-size-mb': Flags.integer({
    min: 1,
    helpValue: 'MIB',
    summary: 'Size at which a log is rotated if a process does not say. [default: 100]',
  }),
  'rotate-log-backups': Flags.integer({
    min: 0,
    helpValue: 'N',
    summary: 'How many rotated logs are kept if a process does not say. [default: 5]',
  }),
  report: Flags.boolean({
    exclusive: ['report-dir', 'no-report'],
    summary:
      'Keep a page of the task in thermos-report/task/TASK_ID, as report writes it: at most once a second, and at the end.',
  }),
  'report-dir': Flags.string({
    helpValue: 'DIR',
    exclusive: ['no-report'],
    summary: 'Same as --report, in this directory. [default: $MESOS_SANDBOX/thermos-report if that is set]',
  }),
  'no-report': Flags.boolean({ summary: 'Write no page, not even below a Mesos executor.' }),
};

export interface RunFlags extends RootFlags {
  sandbox?: string;
  user?: string;
  'preserve-env': boolean;
  'enable-chroot'?: boolean;
  hostname?: string;
  'max-runs': number;
  'process-logger-destination'?: string;
  'process-logger-mode'?: string;
  'rotate-log-size-mb'?: number;
  'rotate-log-backups'?: number;
  report?: boolean;
  'report-dir'?: string;
  'no-report'?: boolean;
}

export const RUN_EXIT_CODES = {
  ok: 'The task ended SUCCESS; with --daemon: it has started.',
  no: 'The task ended FAILED.',
  usage: 'The command line or the task is wrong, or it cannot be run here; nothing was started.',
  killed: EXIT_MEANINGS.killed,
  lost: EXIT_MEANINGS.lost,
  partial: 'The checkpoint could not be written; running processes go on, and the task can be resumed.',
  interrupted: 'Interrupted (SIGINT), and the task ended KILLED.',
  terminated: 'Terminated (SIGTERM), and the task ended KILLED.',
} satisfies ExitMeanings;

/** The options that the flags set for a run. */
export function runOptions(flags: RunFlags): RunOptions {
  const logger: { -readonly [Field in keyof LoggerPolicy]?: LoggerPolicy[Field] } = {};
  const size = flags['rotate-log-size-mb'];
  if (flags['process-logger-destination'] !== undefined)
    logger.destination = flags['process-logger-destination'] as Destination;
  if (flags['process-logger-mode'] !== undefined)
    logger.mode = flags['process-logger-mode'] as LoggerPolicy['mode'];
  if (size !== undefined) logger.log_size = size * MIB;
  if (flags['rotate-log-backups'] !== undefined) logger.backups = flags['rotate-log-backups'];
  const { sandbox, user, hostname } = flags;
  return {
    roots: flags,
    sandbox,
    user,
    hostname,
    chroot: flags['enable-chroot'],
    preserveEnv: flags['preserve-env'],
    maxRuns: flags['max-runs'],
    logger,
    report: flags['no-report'] ? false : (flags['report-dir'] ?? (flags.report || undefined)),
  };
}
