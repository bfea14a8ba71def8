import * as Flags from '@oclif/core/flags';
import type { RunOptions } from '../app/run-spec.js';
import type { RootFlags } from '../app/search.js';
import { EXIT_MEANINGS, type ExitMeanings } from '../errors/exit-codes.js';
import type { Destination, LoggerPolicy } from '../runner/task-document.js';

const MIB = 1024 * 1024;

/** What `run` and `simplerun` have in common; names and defaults are those of the original's programs. */
export const RUN_FLAGS = {
  'task-id': Flags.string({
    helpValue: 'ID',
    summary: 'The id of the task; else made of its name and the time.',
  }),
  user: Flags.string({ helpValue: 'NAME', summary: 'Run as this user; for others than you root is needed.' }),
  sandbox: Flags.string({
    helpValue: 'PATH',
    summary: 'Directory to run in; else ROOT/sandboxes/TASK_ID. Made if it is not there.',
  }),
  environment: Flags.string({
    char: 'E',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
    summary: 'Put VALUE in for {{NAME}}; may be repeated.',
  }),
  port: Flags.string({
    char: 'P',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME:PORT',
    summary: 'Put PORT in for {{thermos.ports[NAME]}}; may be repeated.',
  }),
  daemon: Flags.boolean({ summary: 'Return when the task has started, and print its id.' }),
  'preserve-env': Flags.boolean({
    summary: 'Give processes your whole environment, not only HOME, LOGNAME, USER and PATH.',
  }),
  hostname: Flags.string({ helpValue: 'NAME', summary: 'The host name to record; else that of this host.' }),
  'max-runs': Flags.integer({
    min: 1,
    default: 100,
    helpValue: 'N',
    summary: 'How often one process is run at most, however its runs end.',
  }),
  'process-logger-destination': Flags.string({
    options: ['file', 'console', 'both', 'none'],
    summary: 'Where the output of processes goes that do not say it themselves.',
  }),
  'process-logger-mode': Flags.string({
    options: ['standard', 'rotate'],
    summary: 'How log files are written if processes do not say it.',
  }),
  'rotate-log-size-mb': Flags.integer({
    min: 1,
    helpValue: 'MIB',
    summary: 'When a log is rotated, if processes do not say it; else 100.',
  }),
  'rotate-log-backups': Flags.integer({
    min: 0,
    helpValue: 'N',
    summary: 'How many rotated logs are kept, if processes do not say it; else 5.',
  }),
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
}

export const RUN_EXIT_CODES = {
  ok: 'The task ended SUCCESS; with --daemon: it has started.',
  no: 'The task ended FAILED.',
  usage: 'The command line or the task is wrong, or it can not be run here; nothing was started.',
  killed: EXIT_MEANINGS.killed,
  lost: EXIT_MEANINGS.lost,
  partial: 'The checkpoint could not be written; what runs goes on, and the task can be resumed.',
  interrupted: 'Interrupted (SIGINT), and the task ended KILLED.',
  terminated: 'Terminated (SIGTERM), and the task ended KILLED.',
} satisfies ExitMeanings;

/** What the flags say of how to run a task. */
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
  };
}
