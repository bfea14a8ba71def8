import { COLOUR_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';
import { coordinatorKind } from '../cli/programs.js';
import type { VersionDocument } from '../contracts/host.js';

export default class Version extends ThermosCommand {
  static override usesDefaults = false;
  static override summary = 'Print the version.';
  static override environment = COLOUR_ENVIRONMENT;
  static override files = {};
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --json'];

  async run(): Promise<number> {
    const { flags } = await this.parse(Version);
    const { version } = this.config;
    const coordinator = flags.json ? coordinatorKind() : undefined;
    const document: VersionDocument = { version, node: process.version, coordinator };
    return this.answer(flags.json, document, () => `thermos/${version}\n`, []);
  }
}
