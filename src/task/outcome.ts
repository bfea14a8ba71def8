import { EXIT, type ExitCode } from '../errors/exit-codes.js';
import type { TaskView } from './view.js';

/** The exit code for the way a task ended; 5 if its end is not known. */
export function exitCodeOf(state: TaskView['state']): ExitCode {
  switch (state) {
    case 'SUCCESS':
      return EXIT.ok;
    case 'FAILED':
      return EXIT.no;
    case 'KILLED':
      return EXIT.killed;
    case 'LOST':
      return EXIT.lost;
    default:
      return EXIT.partial;
  }
}
