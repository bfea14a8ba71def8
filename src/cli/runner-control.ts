import type { Endable } from '../app/run.js';
import { RunControl } from './run-control.js';

/**
 * To be called first by a runner for an executor, which reads from its status how it ended: until the task is open,
 * SIGUSR1 ends the program, as other signals do.
 */
export function expectDeath(): void {
  process.on('SIGUSR1', die);
}

function die(): void {
  // With its last listener, the default of the signal is back, and not Node's debugger.
  process.removeAllListeners('SIGUSR1');
  process.kill(process.pid, 'SIGUSR1');
}

/** Treats signals as requests to end the task, and says so. */
export class RunnerControl extends RunControl {
  readonly #notice: (text: string) => void;

  constructor(notice: (text: string) => void) {
    super(notice);
    this.#notice = notice;
    process.off('SIGUSR1', die);
  }

  override attach(task: Endable): void {
    super.attach({
      taskId: task.taskId,
      kill: (request) => {
        this.#notice(`got ${request.asked?.what}: the task is to end ${request.state}`);
        task.kill(request);
      },
    });
  }
}
