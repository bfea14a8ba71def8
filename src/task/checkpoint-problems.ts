import type { Damage } from '../checkpoint/framing.js';
import { describeErrno, errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { RefusedError } from '../store/refused.js';

/**
 * The problem of a stream that can't be used to its end. `over`: its task is finished, so that nobody will
 * write the rest of a record that is cut short.
 */
export function damagedCheckpoint(path: string, damage: Damage, over: boolean): Problem {
  const { kind, offset, reason } = damage;
  if (kind === 'incomplete' && !over) {
    const message = `the checkpoint ${path} ends inside a record at byte ${offset}: ${reason}`;
    return { code: 'checkpoint-incomplete', severity: 'warning', message, path, offset };
  }
  const message = `the checkpoint ${path} is damaged at byte ${offset}: ${reason}`;
  const hint = 'what is shown is the state up to there';
  return { code: 'checkpoint-damaged', severity: 'error', message, path, offset, hint };
}

/** The problem of a stream that can't be opened or read. */
export function unreadableCheckpoint(path: string, error: unknown): Problem {
  if (errnoOf(error) === 'ENOENT') {
    return { code: 'checkpoint-missing', severity: 'error', message: `there is no checkpoint ${path}`, path };
  }
  const hint = errnoOf(error) === 'EACCES' ? 'run it again with sudo' : undefined;
  const message =
    error instanceof RefusedError
      ? `the checkpoint is not read: ${error.message}`
      : `cannot read the checkpoint ${path}: ${describeErrno(error)}`;
  return { code: 'checkpoint-unreadable', severity: 'error', message, path, hint };
}
