import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ThermosCommand } from '../cli/base-command.js';
import { EXAMPLE, EXAMPLE_NAME } from '../config/example.js';
import type { InitDocument } from '../contracts/config.js';
import { UsageError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { initText } from '../views/init.js';

export default class Init extends ThermosCommand {
  static override summary = 'Write a commented example of a config, which runs.';
  static override description =
    `Writes a task with four processes to begin with: what waits for what, a process that may fail, a port, values that are
filled in, logs that are rotated, resources, limits, and a final process. Comments say what each part does. It runs as it
is, within three seconds, and needs nothing but bash.

FILE is written whole or not at all, and a file that exists is not overwritten without --force. With - as FILE, the
config goes to stdout.`;
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init web.thermos',
    '<%= config.bin %> init - | less',
  ];
  static override exitCodes = {
    ...ThermosCommand.exitCodes,
    usage: 'The command line is wrong, or FILE exists.',
    partial: 'FILE could not be written.',
  };
  static override seeAlso = ['inspect', 'run', 'simplerun'];

  static override args = {
    config: {
      ...Args.string({
        ignoreStdin: true,
        description: `The file to write; ${EXAMPLE_NAME} if it is left out, stdout if it is -.`,
      }),
      label: 'FILE',
    },
  };
  static override flags = {
    force: Flags.boolean({ charAliases: ['f'], summary: 'Replace FILE if it exists; -f means the same.' }),
  };

  async run(): Promise<number> {
    const { args, flags } = await this.parse(Init);
    const file = args.config ?? EXAMPLE_NAME;
    if (file === '-') {
      if (flags.json || flags.force) {
        throw new UsageError('usage', `- and --${flags.json ? 'json' : 'force'} cannot be used together`);
      }
      this.terminal.write(EXAMPLE);
      return EXIT.ok;
    }
    const { writeExample } = await import('../app/init.js');
    const options = { force: flags.force, now: this.terminal.now(), umask: process.umask() };
    const document: InitDocument = writeExample(file, options);
    return this.answer(flags.json, document, () => initText(file), []);
  }
}
