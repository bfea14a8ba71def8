import * as Flags from '@oclif/core/flags';
import { RUN_FLAGS, type RunFlags } from './run-flags.js';

const PATH = { helpValue: 'PATH', required: true } as const;

/** The flags of `thermos-runner`; their names are the original's. */
export const RUNNER_FLAGS = {
  'thermos-json': Flags.string({ ...PATH, summary: 'The task, as JSON.' }),
  'task-id': RUN_FLAGS['task-id'],
  sandbox: Flags.string({ ...PATH, summary: 'Directory to run in, created if missing.' }),
  'checkpoint-root': Flags.string({ ...PATH, summary: 'The task root, created if missing.' }),
  setuid: Flags.string({
    helpValue: 'USER',
    summary: 'Run as this user; only root may run as another user.',
  }),
  port: RUN_FLAGS.port,
  hostname: RUN_FLAGS.hostname,
  'preserve-env': RUN_FLAGS['preserve-env'],
  'enable-chroot': Flags.boolean({
    summary: 'Run processes with the sandbox as /; only root may do this.',
  }),
  'mesos-containerizer-path': Flags.string({
    helpValue: 'PATH',
    dependsOn: ['container-sandbox'],
    exclusive: ['enable-chroot'],
    summary: "Run processes in the task's image, with this mesos-containerizer.",
  }),
  'container-sandbox': Flags.string({ helpValue: 'PATH', summary: 'Where the sandbox is in the image.' }),
  'process-logger-destination': RUN_FLAGS['process-logger-destination'],
  'process-logger-mode': RUN_FLAGS['process-logger-mode'],
  'rotate-log-size-mb': Flags.integer({
    min: 0,
    helpValue: 'MIB',
    summary: RUN_FLAGS['rotate-log-size-mb'].summary as string,
  }),
  'rotate-log-backups': RUN_FLAGS['rotate-log-backups'],
  'report-dir': Flags.string({
    helpValue: 'DIR',
    exclusive: ['no-report'],
    summary:
      'Keep the page of the task here, like run --report-dir. [default: $MESOS_SANDBOX/thermos-report if that is set]',
  }),
  'no-report': Flags.boolean({ summary: 'Write no page of the task.' }),
  'log-dir': Flags.string({ helpValue: 'DIRECTORY', summary: 'Where to log what the runner does.' }),
  'log-to-disk': Flags.string({
    helpValue: 'LEVEL',
    summary:
      'The lowest level that is logged there: DEBUG, INFO, WARN, ERROR, FATAL or NONE. [default: DEBUG]',
  }),
  'log-to-stderr': Flags.string({
    helpValue: 'LEVEL',
    summary: 'The lowest level that is printed on stderr. [default: ERROR; without --log-dir INFO]',
  }),
};

/** What they set. */
export interface RunnerFlags extends Omit<RunFlags, 'root' | 'mesos-root' | 'max-runs' | 'user'> {
  'thermos-json': string;
  'task-id'?: string;
  sandbox: string;
  'checkpoint-root': string;
  setuid?: string;
  port?: string[];
  'mesos-containerizer-path'?: string;
  'container-sandbox'?: string;
  'log-dir'?: string;
  'log-to-disk'?: string;
  'log-to-stderr'?: string;
}
