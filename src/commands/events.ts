import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import { EVENT_ENVIRONMENT } from '../cli/event-command.js';
import { showEvents } from '../cli/events.js';
import { stateFlag } from '../cli/state-flag.js';
import { TIME_HELP } from '../text/time.js';

const STATES = [
  ...['ACTIVE', 'CLEANING', 'FINALIZING', 'SUCCESS', 'FAILED', 'KILLED', 'LOST'],
  ...['WAITING', 'FORKED', 'RUNNING'],
];

export default class Events extends ThermosCommand {
  static override summary = 'Print transitions of tasks and processes as they happen.';
  static override description =
    `Prints a line when a task starts or changes its state, and when a run of a process does: until Ctrl-C, for the
tasks of this host that are active and those that start. A line has the time (UTC), the state, the task, the process
with the number of its run, and how the run ended. What is found at the same time is printed in the order of time.

With --exec, a shell runs COMMAND for each event, with its fields in the environment. One command runs at a time, in the
order of the events; those that come meanwhile wait, and none is lost. What it prints goes to stderr. A command that
fails is reported, and ends nothing; Ctrl-C ends the command, too. The text of COMMAND is never changed: names of tasks
and processes, which their users choose, are only in the environment, so quote them: "$THERMOS_PROCESS".

TASK is a task id, a regular expression or glob, any part of ids (the beginning is tried first), a job's key
(ROLE/ENV/JOB or ROLE/ENV/JOB/INSTANCE), or a path: a sandbox, a task root, a task file. Tasks that start later match,
too. Without TASK, all tasks are followed; inside a sandbox, the tasks of its root.

With --agent, agents are asked once a second, and every five seconds while nothing happens. One that does not answer is
reported, and again when it does; what happened meanwhile is printed then.

${TIME_HELP}`;
  static override examples = [
    '<%= config.bin %> events',
    '<%= config.bin %> events --state FAILED,LOST "www-data-prod-*"',
    '<%= config.bin %> events --since 2h --no-follow',
    '<%= config.bin %> events --json | jq --unbuffered -r "select(.type == \\"task\\" and .state == \\"FAILED\\").task_id"',
    '<%= config.bin %> events --state FAILED --exec \'logger "thermos: $THERMOS_TASK_ID $THERMOS_PROCESS failed"\'',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'Nobody reads the output any more; with --no-follow, there was an event.',
    no: 'With --no-follow: there was no event, or no task matches.',
    partial: 'With --no-follow: something could not be read; stderr says what.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT, ...EVENT_ENVIRONMENT };
  static override seeAlso = ['status', 'tail', 'inspect', 'wait'];

  static override args = {
    task: Args.string({ multiple: true, ignoreStdin: true, description: 'Tasks to follow.' }),
  };

  static override flags = {
    state: stateFlag(STATES, 'Print only transitions to one of these states, of tasks or processes.'),
    since: Flags.string({
      helpValue: 'TIME',
      summary: 'Print first what has happened since then: 2h, 14:30, an RFC 3339 time, or Unix seconds.',
    }),
    'no-follow': Flags.boolean({
      dependsOn: ['since'],
      summary: 'Stop after what has happened already.',
    }),
    exec: Flags.string({
      helpValue: 'COMMAND',
      summary: 'Run a shell command for each event, with its fields in the environment.',
    }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Events);
    return showEvents(args.task ?? [], flags, this.terminal, (problems) => this.report(problems));
  }
}
