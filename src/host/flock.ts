import { describeErrno, errnoOf, SystemError } from '../errors/errors.js';
import { runTool } from './run-tool.js';

/**
 * Takes `flock(2)` LOCK_EX on an open descriptor without waiting: the lock that the original's runner and
 * coordinators hold, so that the two programs exclude each other. Node cannot do this, but flock(1), run on the same
 * open file description, can; the lock then belongs to that description and lasts until its last descriptor is
 * closed. False if somebody else holds it. Throws SystemError `flock-missing` if there is no flock(1), which
 * is part of util-linux, and `flock-failed` if it cannot be run or does not finish.
 */
export function tryLock(fd: number): boolean {
  const { status, error, stderr } = runFlock(fd);
  if (error !== undefined) {
    if (errnoOf(error) !== 'ENOENT') {
      throw new SystemError('flock-failed', `cannot run flock: ${describeErrno(error)}`, undefined, error);
    }
    throw new SystemError('flock-missing', 'the program flock is not installed', 'install util-linux', error);
  }
  if (status === 0) return true;
  if (status === 1) return false;
  throw new SystemError('flock-failed', `flock could not lock: ${stderr.trim()}`);
}

function runFlock(fd: number): Pick<ReturnType<typeof runTool>, 'status' | 'error' | 'stderr'> {
  try {
    return runTool('flock', ['--nonblock', '--exclusive', '3'], ['ignore', 'ignore', 'pipe', fd]);
  } catch (error) {
    return { status: null, error: error as Error, stderr: '' };
  }
}
