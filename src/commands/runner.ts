import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { RUN_FLAGS } from '../cli/run-flags.js';
import { expectDeath } from '../cli/runner-control.js';
import { RUNNER_EXIT_ROWS } from '../errors/exit-codes.js';

const PATH = { helpValue: 'PATH', required: true } as const;

/** The program `thermos-runner`. The names of its flags are the original's. */
export default class Runner extends ThermosCommand {
  static override hidden = true;
  static program = { name: 'thermos-runner', exitRows: RUNNER_EXIT_ROWS };
  static override summary = "Run a task for Aurora's executor, in the place of thermos_runner.pex.";
  static override description =
    `Takes the flags of the original's thermos_runner.pex, spelled as there (--task_id) or with hyphens, and ends as it does. The
executor reads how the task ended from the stream; the exit code only says whether the runner did its work.

SIGUSR1 ends the task KILLED: processes get SIGTERM, final processes run, for a minute at most. SIGUSR2 ends it LOST,
without waiting. SIGINT, SIGTERM and SIGHUP end it as SIGUSR1 does, a second one at once. Before the task is open,
these signals end the program itself.

Nothing is written to stdout. What the runner does is logged in LOG_DIR/thermos_runner.log, which becomes
thermos_runner.log.1 at 10 MiB; without --log-dir on stderr. Flags that the original had from its libraries are accepted.`;
  static override examples = [
    'thermos-runner --thermos_json=task.json --task_id=web-1 --sandbox=/srv/web-1 --checkpoint_root=/var/run/thermos',
  ];
  static override environment = {
    MESOS_DIRECTORY: 'The run directory of the executor; needed with --mesos-containerizer-path.',
  };
  static override files = {
    'LOG_DIR/thermos_runner.log': 'What the runner does.',
  };
  static override seeAlso = ['run', 'status', 'doctor'];

  static override baseFlags = {} as typeof ThermosCommand.baseFlags;
  static override flags = {
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
      summary: "Run processes in the task's image, by this mesos-containerizer.",
    }),
    'container-sandbox': Flags.string({ helpValue: 'PATH', summary: 'Where the image has the sandbox.' }),
    'process-logger-destination': RUN_FLAGS['process-logger-destination'],
    'process-logger-mode': RUN_FLAGS['process-logger-mode'],
    'rotate-log-size-mb': Flags.integer({
      min: 0,
      helpValue: 'MIB',
      summary: RUN_FLAGS['rotate-log-size-mb'].summary as string,
    }),
    'rotate-log-backups': RUN_FLAGS['rotate-log-backups'],
    'log-dir': Flags.string({ helpValue: 'DIRECTORY', summary: 'Where to log what the runner does.' }),
    'log-to-disk': Flags.string({
      helpValue: 'LEVEL',
      summary: 'The least that is logged there: DEBUG, INFO, WARN, ERROR, FATAL or NONE. [default: DEBUG]',
    }),
    'log-to-stderr': Flags.string({
      helpValue: 'LEVEL',
      summary: 'The least that is printed on stderr. [default: ERROR; without --log-dir INFO]',
    }),
  };

  async run(): Promise<number> {
    expectDeath();
    const { flags } = await this.parse(Runner);
    const { serveExecutor } = await import('../cli/runner.js');
    return await serveExecutor(flags, this.argv, this.terminal);
  }
}
