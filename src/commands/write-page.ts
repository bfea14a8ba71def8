import * as Args from '@oclif/core/args';
import { ThermosCommand } from '../cli/base-command.js';
import type { PageToWrite } from '../cli/write-page.js';
import { EXIT } from '../errors/exit-codes.js';

/** What `run` starts to write the page of its task. */
export default class WritePage extends ThermosCommand {
  static override usesDefaults = false;
  static override hidden = true;
  static override args = { spec: Args.string({ required: true, ignoreStdin: true }) };

  async run(): Promise<number> {
    const { args } = await this.parse(WritePage);
    const { writePage } = await import('../cli/write-page.js');
    const madeBy = `${this.config.name} ${this.config.version}`;
    await writePage(JSON.parse(args.spec) as PageToWrite, madeBy, this.terminal);
    return EXIT.ok;
  }
}
