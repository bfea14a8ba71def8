import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import { printFiles } from '../cli/cat.js';
import { jsonText } from '../text/json.js';

export default class Cat extends ThermosCommand {
  static override summary = 'Print files of the sandbox of a task.';
  static override description =
    `Prints each file byte for byte, up to the size that it has when it is opened. On a terminal, control characters
and whatever else is invisible are shown escaped; --raw prints the bytes there, too.

With --json, each line is a piece of a file: text as it is, other bytes in base64.

PATH is relative to the sandbox, or absolute: as the task sees it or as it is here. Links are followed as long as they
stay in the sandbox; nothing outside it is reached, and only regular files are opened. As root, nothing is printed
that the user of the task could not read. See ls for how TASK and PATH are read; tail follows logs.`;
  static override examples = [
    '<%= config.bin %> cat www-data-prod-web-0:.logs/web/0/stderr',
    '<%= config.bin %> cat www-data-prod-web-0:sandbox/conf/app.json | jq .port',
    '<%= config.bin %> cat www-data-prod-web-0:/mnt/mesos/sandbox/stderr',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches, it has no sandbox here, or there is nothing at PATH.',
    usage: 'The command line is wrong, TASK matches several tasks, or PATH is not in the sandbox.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override seeAlso = ['ls', 'cp', 'tail'];

  static override args = {
    file: {
      ...Args.string({ multiple: true, required: true, ignoreStdin: true, description: 'Files to print.' }),
      label: 'TASK:PATH',
    },
  };
  static override flags = {
    raw: Flags.boolean({ summary: 'Print the bytes on a terminal, too, whatever their effect on it.' }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Cat);
    const { problems, exitCode } = await printFiles(args.file, flags, this.terminal);
    if (flags.json) for (const problem of problems) this.terminal.write(`${jsonText({ problem })}\n`);
    return this.finish(problems, exitCode);
  }
}
