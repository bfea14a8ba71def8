import { COLOUR_ENVIRONMENT, ThermosCommand } from '../cli/base-command.js';

export default class Version extends ThermosCommand {
  static override summary = 'Print the version.';
  static override environment = COLOUR_ENVIRONMENT;
  static override files = {};
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --json'];

  async run(): Promise<number> {
    const { flags } = await this.parse(Version);
    const document = { version: this.config.version, node: process.version };
    return this.answer(flags.json, document, () => `thermos/${document.version}\n`, []);
  }
}
