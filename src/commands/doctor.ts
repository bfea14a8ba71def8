import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { PAGER_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import { examineNamed } from '../cli/doctor.js';
import { doctorText } from '../views/doctor.js';

export default class Doctor extends ThermosCommand {
  static override summary = 'Say what is wrong on this host or with one task, why, and what to do.';
  static override description =
    `Looks for roots that cannot be read, dead runners, processes that outlived their task, torn or damaged
checkpoints, clocks that disagree, full or read-only disks, and executors that never started (with the reason from
their stderr). Also looks for a Mesos agent that refuses to start, has not recovered since the host was started, or
lacks the attributes that the scheduler's default constraints need. Looks twice, a second apart, at what running tasks
use: more than they asked for, held back by a limit, killed for lack of memory, filling a disk. Each finding comes
with its evidence and what to do about it. Nothing is changed, and nothing leaves this host. On a healthy host, doctor
says so on a terminal, and prints nothing on a pipe.

With TASK, it shows what is wrong with that task, and its timeline. TASK is a task id, a path, or a pattern, part of
the id or job's key (ROLE/ENV/JOB/INSTANCE) that matches one task.

With --agent, it looks for what can be seen from outside: agents that do not answer, refuse, have just started, or
have a clock that differs; tasks whose executor is gone; what containers use; checkpoints and task files as above. With
--master, the tasks are compared with those that the scheduler of Aurora has, if clusters.json or --cluster names it, else
with those that the master has; with --retained, with those in a file, as gc has it. \`reconcile\` in the document has
all of them, or TASK alone, and what differs for more than a minute is a finding.

What you may not read is not checked, and stderr says so. Run it as root to check everything.`;
  static override examples = [
    '<%= config.bin %> doctor',
    'sudo <%= config.bin %> doctor --mesos-root /var/lib/mesos',
    '<%= config.bin %> doctor www-data-prod-web-0',
    '<%= config.bin %> doctor --agent agent-1 --agent agent-2 --retained believed.json',
    '<%= config.bin %> doctor --json | jq -r ".findings[] | [.severity, .code, .what] | @tsv"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    ok: 'Nothing is wrong.',
    no: 'Something is wrong, or no task matches.',
    usage: 'The command line is wrong, or TASK matches several tasks.',
  };
  static override files = {
    ...ThermosCommand.files,
    'MESOS/meta': 'The state of the Mesos agent: its identity, the boot it recovered in, its attributes.',
    '/var/log/mesos': "The agent's logs, in addition to its --log_dir.",
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT, ...PAGER_ENVIRONMENT };
  static override seeAlso = ['status', 'inspect', 'gc'];

  static override args = {
    task: Args.string({ ignoreStdin: true, description: 'The task to examine; the whole host if left out.' }),
  };

  static override flags = {
    verbose: Flags.boolean({ summary: 'Show all evidence and the whole timeline on a terminal, too.' }),
    retained: Flags.string({
      helpValue: 'FILE',
      exclusive: ['cluster'],
      summary: 'Compare the tasks of agents with those that the scheduler has, as for gc; - means stdin.',
    }),
    cluster: Flags.string({
      helpValue: 'NAME',
      summary:
        "Compare the tasks of agents with those of Aurora's scheduler in this cluster of clusters.json.",
    }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Doctor);
    const { document, exitCode, notice } = await examineNamed(args.task, flags, this.terminal);
    if (notice !== undefined) this.notice(notice);
    const text = (style: typeof this.style) => doctorText(document, style, flags);
    return this.pagedAnswer(flags, document, text, document.problems, exitCode);
  }
}
