import * as Flags from '@oclif/core/flags';
import { COLOUR_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import { coordinatorKind } from '../cli/programs.js';
import type { VersionDocument } from '../contracts/host.js';

export default class Version extends ThermosCommand {
  static override usesDefaults = false;
  static override summary = 'Print the version.';
  static override environment = COLOUR_ENVIRONMENT;
  static override files = {};
  static override examples = [
    '<%= config.bin %> version',
    '<%= config.bin %> version --verbose',
    '<%= config.bin %> version --json',
  ];
  static override flags = {
    verbose: Flags.boolean({
      description: 'Also show what the program consists of, and how it was installed.',
    }),
  };

  async run(): Promise<number> {
    const { flags } = await this.parse(Version);
    const { version } = this.config;
    const coordinator = flags.json || flags.verbose ? coordinatorKind() : undefined;
    const inside = flags.verbose ? (await import('../cli/inside.js')).whatIsInside() : {};
    const { versionText } = await import('../views/version.js');
    const document: VersionDocument = { version, node: process.version, coordinator, ...inside };
    return this.answer(flags.json, document, () => versionText(document), []);
  }
}
