import { join } from 'node:path';
import { UsageError } from '../errors/errors.js';
import { COORDINATOR_EXIT } from '../errors/exit-codes.js';
import { isForThisMachine } from '../host/executable.js';
import { runTool } from '../host/run-tool.js';
import type { CoordinatorPrograms } from '../runner/api.js';
import { presenceOf } from '../store/look.js';

/** The programs of the package; the build puts this file into the same folder. */
export const MAIN = join(__dirname, 'main.cjs');
const SCRIPT = join(__dirname, 'coordinator.cjs');
const NATIVE = join(__dirname, 'coordinator');

/** For tests: `js` or `native` leaves no choice. */
export const COORDINATOR_VARIABLE = 'THERMOS_COORDINATOR';

/** The programs that may watch the processes of a task; the one in C only if it was built. Throws UsageError. */
export function coordinatorPrograms(): CoordinatorPrograms {
  const kind = process.env[COORDINATOR_VARIABLE];
  switch (kind) {
    case undefined:
    case '':
      return { script: SCRIPT, native: presenceOf(NATIVE) === 'other' ? NATIVE : undefined };
    case 'js':
      return { script: SCRIPT };
    case 'native':
      return { script: SCRIPT, native: NATIVE, nativeOnly: true };
    default:
      throw new UsageError('usage', `${COORDINATOR_VARIABLE} is js or native, not ${JSON.stringify(kind)}`);
  }
}

/** The kind of the one that is used here: `native`, in C, if it can be executed. Throws UsageError. */
export function coordinatorKind(): 'native' | 'js' {
  const { native } = coordinatorPrograms();
  // Without a stream it ends at once.
  return native !== undefined &&
    isForThisMachine(native) &&
    runTool(native, [], 'ignore').status === COORDINATOR_EXIT.usage
    ? 'native'
    : 'js';
}

/** For tests: how many seconds a runner waits at most while the machine is short of something. */
const PATIENCE_VARIABLE = 'THERMOS_PATIENCE';

/** Undefined: as long as usual. */
export function patienceMs(): number | undefined {
  const seconds = Number.parseFloat(process.env[PATIENCE_VARIABLE] ?? '');
  return Number.isNaN(seconds) ? undefined : seconds * 1000;
}
