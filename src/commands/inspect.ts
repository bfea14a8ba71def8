import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { PAGER_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import type { CompletionKinds } from '../cli/completion/kinds.js';
import { CONFIG_FLAGS } from '../cli/config-flags.js';
import { GRAPH_FLAG } from '../cli/graph.js';
import { inspectTarget } from '../cli/inspect.js';

export default class Inspect extends ThermosCommand {
  static override summary =
    'Show everything known about one task, and why it is in its state; or evaluate a config.';
  static override description =
    `Shows the state and why it is so, the processes and their earlier runs, the ordering, command lines, states of
the task, logs, and finally what is recorded about it: user, ports, resources, paths. WHY names the process that
failed first with the end of its stderr, how much of the failure budget is used, and what a process waits for. The
critical path is the chain of processes that determined how long the task took, each after the one for which it had to
wait longest. On a terminal, long lists are shown in part, and say so; --verbose shows all of them, and so does a
pipe.

For a config (.thermos, .aurora, or a task in JSON), shows the evaluated task: processes with their command lines,
the ordering, resources, limits, ports, and every other setting that differs from its default. Nothing is executed except the config itself. Errors and likely mistakes
are reported on stderr, and as \`lint\` in the document. Values that only a run knows, such as
{{thermos.ports[http]}}, stay as they are.

--graph shows only what waits for what, and the states of a task on disk: \`text\` is the tree of ORDERING,
\`mermaid\` and \`dot\` are for a page or a picture. Names in constraints that no process has are marked as missing.
Mermaid draws no more than 500 arrows unless its maxEdges is higher.

TARGET is a task id, a path (a sandbox, a task root, a task file), or a pattern, part of the id or job's key
(ROLE/ENV/JOB/INSTANCE) that matches one task; otherwise it is a config. Inside a sandbox it may be left out.`;
  static override examples = [
    '<%= config.bin %> inspect www-data-prod-web-0',
    '<%= config.bin %> inspect /var/lib/mesos/slaves/S0/frameworks/F/executors/thermos-web/runs/latest',
    '<%= config.bin %> inspect www-data-prod-web-0 --json | jq -r ".why[]"',
    '<%= config.bin %> inspect www-data-prod-web-0 --graph dot | dot -Tsvg > graph.svg',
    '<%= config.bin %> inspect web.thermos --task web --environment profile.version=1.2',
    '<%= config.bin %> inspect web.aurora --job prod/web --instance 2 --json | jq .task',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches, or `run` would refuse the config: its lint has an error.',
    usage: 'The command line is wrong, TARGET matches several tasks, or the config gives no task.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT, ...PAGER_ENVIRONMENT };
  static override seeAlso = ['status', 'tail', 'read', 'run'];
  static override completes: CompletionKinds = { only: 'config-process', from: 'config-process' };

  static override args = {
    target: Args.string({ ignoreStdin: true, description: 'The task, or the config.' }),
  };
  static override flags = {
    ...CONFIG_FLAGS,
    graph: GRAPH_FLAG,
    verbose: Flags.boolean({ summary: 'Show long lists of a task in full on a terminal, too.' }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Inspect);
    const { document, text, problems, exitCode } = await inspectTarget(args.target, flags, this.terminal);
    return this.pagedAnswer(flags, document, text, problems, exitCode);
  }
}
