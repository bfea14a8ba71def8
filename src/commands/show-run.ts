import * as Args from '@oclif/core/args';
import { ThermosCommand } from '../cli/base-command.js';
import { leaveSignalsToRunner } from '../cli/run-control.js';
import type { RunToShow } from '../cli/run-view.js';
import { EXIT } from '../errors/exit-codes.js';

/** What `run` starts to show its task. */
export default class ShowRun extends ThermosCommand {
  static override usesDefaults = false;
  static override hidden = true;
  static override args = { spec: Args.string({ required: true, ignoreStdin: true }) };

  async run(): Promise<number> {
    leaveSignalsToRunner();
    const { args } = await this.parse(ShowRun);
    const { showRun } = await import('../cli/run-view.js');
    await this.terminal.loadColours();
    await showRun(JSON.parse(args.spec) as RunToShow, this.terminal);
    return EXIT.ok;
  }
}
