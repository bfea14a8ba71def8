import { closeSync, openSync, writeSync } from 'node:fs';
import type { RunSpec } from '../app/run-spec.js';
import { ThermosCommand } from '../cli/base-command.js';
import { expectSignals } from '../cli/run-control.js';
import { EXIT } from '../errors/exit-codes.js';
import { collectOnceWhenIdle } from '../host/idle-collection.js';
import { closeInherited } from '../host/inherited-descriptors.js';
import { readInput } from '../store/input.js';

/** A task is read from a config or a task file; neither is near this. */
const MOST_SPEC_BYTES = 256 * 1024 * 1024;

/** What `run --daemon` starts. */
export default class RunDaemon extends ThermosCommand {
  static override hidden = true;

  async run(): Promise<number> {
    expectSignals();
    closeInherited();
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

/** Undefined if who started us ended before it had said all. */
function specOf(text: string): RunSpec | undefined {
  try {
    return JSON.parse(text) as RunSpec;
  } catch {
    return undefined;
  }
}
