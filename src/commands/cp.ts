import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { AGENT_ENVIRONMENT, AGENT_FLAGS } from '../cli/agent-flags.js';
import { ThermosCommand } from '../cli/base-command.js';
import { copyWithProgress } from '../cli/cp.js';
import type { CpDocument } from '../contracts/files.js';
import { UsageError } from '../errors/errors.js';
import { cpText } from '../views/cp.js';

export default class Cp extends ThermosCommand {
  static override summary = 'Copy files out of the sandbox of a task.';
  static override description =
    `Copies files, and with --recursive directories, to DEST: into it if it is a directory, else under that name. TASK
alone is the whole sandbox. Contents, permissions (without setuid and setgid) and times are kept; copies belong to the
user who makes them. Holes of files stay holes. A file gets its name when it is complete, so that a full disk or
Ctrl-C leaves no half file. Nothing is overwritten without --force.

In directories, links that lead to something in the copy are copied as links; others are left out and reported,
unless --links is given. FIFOs, sockets and devices are left out and reported. Nothing outside the sandbox is reached,
and as root nothing is copied that the user of the task could not read.

cp does not copy into sandboxes: do that as the user of the task (sudo -u USER cp FILE SANDBOX). See ls for how
TASK and PATH are read.`;
  static override examples = [
    '<%= config.bin %> cp www-data-prod-web-0:sandbox/core.12345 /tmp',
    '<%= config.bin %> cp --recursive www-data-prod-web-0:.logs /tmp/web-logs',
    '<%= config.bin %> cp --recursive --force www-data-prod-web-0 /var/tmp/web',
    '<%= config.bin %> cp www-data-prod-web-0:stderr www-data-prod-web-0:stdout /tmp',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    no: 'No task matches, it has no sandbox here, or there is nothing at PATH.',
    usage: 'The command line is wrong, TASK matches several tasks, or PATH or DEST cannot be copied.',
    partial: 'Something was not copied; stderr says what and why.',
  };
  static override environment = { ...ThermosCommand.environment, ...AGENT_ENVIRONMENT };
  static override seeAlso = ['ls', 'cat', 'tail'];

  static override strict = false;
  static override usage = 'TASK[:PATH]... DEST [FLAGS]';
  static override args = {
    file: {
      ...Args.string({ required: true, ignoreStdin: true, description: 'What to copy.' }),
      label: 'TASK[:PATH]',
    },
    dest: {
      ...Args.string({ required: true, ignoreStdin: true, description: 'The directory or name to copy to.' }),
      repeats: true,
      label: 'DEST',
    },
  };
  static override flags = {
    recursive: Flags.boolean({
      char: 'R',
      charAliases: ['r'],
      summary: 'Copy directories and what is in them; -r means the same.',
    }),
    force: Flags.boolean({ charAliases: ['f'], summary: 'Replace files that exist; -f means the same.' }),
    links: Flags.boolean({
      dependsOn: ['recursive'],
      summary: 'Copy links that lead out of the copy, too, as links.',
    }),
    ...AGENT_FLAGS,
  };

  async run(): Promise<number> {
    const { raw, flags } = await this.parse(Cp);
    // Not `argv`: oclif sorts it.
    const words = raw.filter(({ type }) => type === 'arg').map(({ input }) => input);
    const dest = words.pop();
    if (dest === undefined || words.length === 0) throw new UsageError('usage', 'missing argument DEST');
    const { copied, problems, exitCode } = await copyWithProgress(words, dest, flags, this.terminal);
    const document: CpDocument = { copied, problems };
    return this.answer(flags.json, document, () => cpText(copied), problems, exitCode);
  }
}
