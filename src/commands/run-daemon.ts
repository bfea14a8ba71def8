import { closeSync, openSync, writeSync } from 'node:fs';
import type { RunSpec } from '../app/run-spec.js';
import { ThermosCommand } from '../cli/base-command.js';
import { expectSignals } from '../cli/run-control.js';
import { EXIT } from '../errors/exit-codes.js';
import { collectOnceWhenIdle } from '../host/idle-collection.js';
import { closeInherited } from '../host/inherited-descriptors.js';
import { readInput } from '../store/input.js';

/** Far more than any config or task file has. */
const MOST_SPEC_BYTES = 256 * 1024 * 1024;

/** What `run --daemon` starts. */
export default class RunDaemon extends ThermosCommand {
  static override usesDefaults = false;
  static override hidden = true;

  async run(): Promise<number> {
    expectSignals();
    // 3 is for the answer.
    closeInherited(4);
    const { runDaemon } = await import('../cli/run.js');
    const spec = specOf(readInput(0, { max: MOST_SPEC_BYTES }).toString('utf8'));
    if (spec === undefined) return EXIT.ok;
    closeSync(0);
    openSync('/dev/null', 'r');
    await runDaemon(spec, this.terminal, (text) => {
      writeSync(3, text);
      closeSync(3);
      collectOnceWhenIdle();
    });
    return EXIT.ok;
  }
}

/** Undefined if the starter ended before it had sent all of it. */
function specOf(text: string): RunSpec | undefined {
  try {
    return JSON.parse(text) as RunSpec;
  } catch {
    return undefined;
  }
}
