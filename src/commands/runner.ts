import { ThermosCommand } from '../cli/base-command.js';
import { expectDeath } from '../cli/runner-control.js';
import { RUNNER_FLAGS } from '../cli/runner-flags.js';
import { RUNNER_EXIT_ROWS } from '../errors/exit-codes.js';

/** The program `thermos-runner`. */
export default class Runner extends ThermosCommand {
  static override usesDefaults = false;
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
thermos_runner.log.1 at 10 MiB; without --log-dir, on stderr. Flags that the original had from its libraries are
accepted.`;
  static override examples = [
    'thermos-runner --thermos_json=task.json --task_id=web-1 --sandbox=/srv/web-1 --checkpoint_root=/var/run/thermos',
  ];
  static override environment = {
    MESOS_DIRECTORY: 'The run directory of the executor; needed with --mesos-containerizer-path.',
    MESOS_SANDBOX: 'The sandbox of the executor: the page of the task is in thermos-report there.',
  };
  static override files = {
    'LOG_DIR/thermos_runner.log': 'What the runner does.',
  };
  static override seeAlso = ['run', 'status', 'doctor'];

  static override baseFlags = {} as typeof ThermosCommand.baseFlags;
  static override flags = RUNNER_FLAGS;

  async run(): Promise<number> {
    expectDeath();
    const { flags } = await this.parse(Runner);
    const { serveExecutor } = await import('../cli/runner.js');
    return await serveExecutor(flags, this.argv, this.terminal);
  }
}
