import { tasksToLookAt } from '../app/search.js';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { agentsOf } from '../cli/agents.js';
import { ThermosCommand } from '../cli/base-command.js';
import { encodeRoots } from '../contracts/encode-roots.js';
import { EXIT } from '../errors/exit-codes.js';
import { rootsView } from '../views/roots.js';

export default class Roots extends ThermosCommand {
  static override summary = 'Show which task roots were found, how, and which cannot be read.';
  static override description = `A root is a directory that holds tasks/ and checkpoints/.

Lists the roots that --root and --mesos-root name. Without them, lists those of THERMOS_ROOT and THERMOS_MESOS_ROOT; without those, the root around the working directory; otherwise the one in $MESOS_SANDBOX, /var/run/thermos, your own root ($XDG_STATE_HOME/thermos) and the sandboxes of this host's Mesos agents. --mesos-root takes the --work_dir of an agent or a directory in it, down to one sandbox. With --agent, lists the sandboxes of the agents that have tasks of Thermos.`;

  static override examples = [
    '<%= config.bin %> roots',
    '<%= config.bin %> roots --mesos-root /var/lib/mesos --json',
    'sudo <%= config.bin %> roots --root /var/run/thermos --root /srv/thermos',
  ];

  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'There is no task root.',
    partial: 'A root could not be read; stderr says why.',
  };

  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override flags = AGENT_FLAGS;

  async run(): Promise<number> {
    const { flags } = await this.parse(Roots);
    const agents = await agentsOf(flags, this.terminal, []);
    const found = (await agents?.gatherer.find([], 'look')) ?? tasksToLookAt(flags, []);
    agents?.close();
    const document = encodeRoots(found);
    const none = document.roots.length === 0;
    const exitCode = this.answer(
      flags.json,
      document,
      (style) => rootsView(document, style),
      document.problems,
      none ? EXIT.no : EXIT.ok,
    );
    if (none) this.notice('no task root was found');
    return exitCode;
  }
}
