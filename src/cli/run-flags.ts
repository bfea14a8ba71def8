import { hostname } from 'node:os';
import { resolve } from 'node:path';
import * as Flags from '@oclif/core/flags';
import { rootOptions } from '../app/root-options.js';
import type { RootFlags } from '../app/search.js';
import { PLACES, userRoot } from '../discovery/roots.js';
import { UsageError } from '../errors/errors.js';
import { EXIT_MEANINGS, type ExitMeanings } from '../errors/exit-codes.js';
import { pathsOf } from '../layout/task-paths.js';
import type { Destination, LoggerPolicy } from '../runner/task-document.js';
import { absolutePath, mayUse } from '../store/look.js';
import { parentOf } from '../store/paths.js';
import type { PreparedTask } from './config.js';
import type { RunSpec } from './run.js';

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

/** How a prepared task is to be run. Throws UsageError. */
export function runSpec(prepared: PreparedTask, flags: RunFlags): RunSpec {
  const root = rootToRunIn(flags);
  const { taskId, ports, document } = prepared;
  const paths = pathsOf({ root, taskId });
  const sandbox = flags.sandbox === undefined ? paths.sandbox : resolve(flags.sandbox);
  const logger: { -readonly [Field in keyof LoggerPolicy]?: LoggerPolicy[Field] } = {};
  const size = flags['rotate-log-size-mb'];
  if (flags['process-logger-destination'] !== undefined)
    logger.destination = flags['process-logger-destination'] as Destination;
  if (flags['process-logger-mode'] !== undefined)
    logger.mode = flags['process-logger-mode'] as LoggerPolicy['mode'];
  if (size !== undefined) logger.log_size = size * MIB;
  if (flags['rotate-log-backups'] !== undefined) logger.backups = flags['rotate-log-backups'];
  return {
    task: {
      root,
      taskId,
      document,
      sandbox,
      user: flags.user,
      hostname: flags.hostname ?? hostname(),
      ports,
    },
    settings: {
      chroot: flags['enable-chroot'],
      preserveEnv: flags['preserve-env'],
      maxRuns: flags['max-runs'],
      logger,
    },
  };
}

/** The root that was named, else that of the host if we may write there, else the user's own. Throws UsageError. */
export function rootToRunIn(flags: RootFlags): string {
  const { root = [], 'mesos-root': mesosRoot = [] } = flags;
  if (mesosRoot.length > 0) {
    throw new UsageError('usage', 'a task is run in a task root: give it with --root, not --mesos-root');
  }
  if (root.length > 1) throw new UsageError('usage', `a task is run in one root, not in ${root.length}`);
  if (root[0] !== undefined) return resolve(root[0]);
  const options = rootOptions(flags);
  const fromEnv = options.env.THERMOS_ROOT;
  if (fromEnv) {
    const [first, ...others] = fromEnv.split(':').filter((path) => path !== '');
    if (first !== undefined && others.length === 0) return absolutePath(first, options.cwd ?? '/');
    throw new UsageError('usage', `THERMOS_ROOT names ${others.length + 1} roots`, 'say which with --root');
  }
  if (options.euid === 0 || isWritable(PLACES.hostRoot)) return PLACES.hostRoot;
  const own = userRoot(options);
  if (own !== undefined) return own;
  throw new UsageError(
    'root-unwritable',
    `you may not write to ${PLACES.hostRoot}, and have no home`,
    'use --root',
  );
}

/** Itself, or what is to hold it if it isn't there yet. */
function isWritable(path: string): boolean {
  return mayUse(path, 'change') ?? mayUse(parentOf(path), 'change') ?? false;
}
