import { errnoOf } from '../errors/errors.js';

/** Would a more privileged user get through? */
export function isDenied(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'EACCES' || code === 'EPERM';
}

/** What to try when the system refused; nothing helps root. */
export function sudoHint(euid: number): string | undefined {
  return euid === 0 ? undefined : 'run it again with sudo';
}
