import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { localTasks } from '../app/local-tasks.js';
import { listFiles } from '../app/ls.js';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { agentsOf } from '../cli/agents.js';
import { ThermosCommand } from '../cli/base-command.js';
import { encodeList } from '../contracts/encode-files.js';
import { localSandbox } from '../sandbox/local-sandbox.js';
import { lsText } from '../views/ls.js';

export default class Ls extends ThermosCommand {
  static override summary = 'List the files in the sandbox of a task.';
  static override description =
    `Lists a directory of the sandbox, including hidden names such as .logs: mode, owner, size, time of the last
change, name. On a pipe, sizes are bytes and times RFC 3339.

PATH is relative to the sandbox: in the Mesos layout, that of the executor, which holds its output, the logs, and the
task's own directory, sandbox. It may also be absolute, as the task sees it (/mnt/mesos/sandbox/...) or as it is here.
Links are followed as long as they stay in the sandbox; nothing outside it is reached. As root, nothing is shown that
the user of the task could not read.

TASK is a task id, a regular expression or glob, any part of ids, a job's key (ROLE/ENV/JOB/INSTANCE), or a path: a
sandbox, a task root, a task file. It must match one task. Inside a sandbox it may be left out (:PATH).`;
  static override examples = [
    '<%= config.bin %> ls www-data-prod-web-0',
    '<%= config.bin %> ls www-data-prod-web-0:.logs/web/0',
    '<%= config.bin %> ls --recursive www-data-prod-web-0:sandbox/conf',
    '<%= config.bin %> ls www-data-prod-web-0:/mnt/mesos/sandbox',
    '<%= config.bin %> ls --json www-data-prod-web-0 | jq -r ".entries[].name"',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches, it has no sandbox here, or there is nothing at PATH.',
    usage: 'The command line is wrong, TASK matches several tasks, or PATH is not in the sandbox.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override seeAlso = ['cat', 'cp', 'inspect', 'tail'];

  static override args = {
    file: {
      ...Args.string({ ignoreStdin: true, description: 'The task, and a path in its sandbox.' }),
      label: 'TASK[:PATH]',
    },
  };
  static override flags = {
    recursive: Flags.boolean({ char: 'R', summary: 'List what is in directories, too.' }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Ls);
    const agents = await agentsOf(flags, this.terminal, [args.file ?? '']);
    const ports = agents ?? { gatherer: localTasks(flags), sandboxOf: localSandbox };
    const listing = listFiles(args.file ?? '', { recursive: flags.recursive }, ports);
    const answer = await listing.finally(() => agents?.close());
    const text = (style: typeof this.style) => lsText(answer.entries, style);
    return this.answer(flags.json, encodeList(answer), text, answer.problems);
  }
}
