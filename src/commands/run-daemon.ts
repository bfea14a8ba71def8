import { closeSync, readFileSync, writeSync } from 'node:fs';
import { ThermosCommand } from '../cli/base-command.js';
import type { RunSpec } from '../cli/run.js';

/** What `run --daemon` starts. */
export default class RunDaemon extends ThermosCommand {
  static override hidden = true;

  async run(): Promise<number> {
    const { daemon } = await import('../cli/run.js');
    await daemon(JSON.parse(readFileSync(0, 'utf8')) as RunSpec, this.terminal, (text) => {
      writeSync(3, text);
      closeSync(3);
    });
    return 0;
  }
}
