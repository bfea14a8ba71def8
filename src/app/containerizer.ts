import { describeErrno, SystemError, UsageError } from '../errors/errors.js';
import { runTool } from '../host/run-tool.js';
import { TASK_FILE_SYSTEM } from '../layout/mesos.js';
import type { Containerizer } from '../runner/api.js';

/**
 * The containerizer at a path, for a task whose image has the sandbox at `sandbox`. `directory`: the run directory of the
 * executor, which holds the image. Throws UsageError `usage`, SystemError `containerizer-unusable`.
 */
export function containerizerAt({
  path,
  sandbox,
  directory,
}: {
  path: string;
  sandbox: string;
  directory?: string;
}): Containerizer {
  if (directory === undefined || directory === '') {
    const message = '--mesos-containerizer-path needs MESOS_DIRECTORY, the run directory with the image';
    throw new UsageError('usage', message);
  }
  if (!sandbox.startsWith('/')) {
    throw new UsageError('usage', `--container-sandbox takes an absolute path, not '${sandbox}'`);
  }
  // Without flags, it prints those that it takes, and fails.
  const { error, stderr } = runTool(path, ['launch'], ['ignore', 'ignore', 'pipe']);
  if (error !== undefined) {
    throw new SystemError('containerizer-unusable', `cannot execute ${path}: ${describeErrno(error)}`);
  }
  const rootfs = `${directory}/${TASK_FILE_SYSTEM}`;
  return { path, rootfs, sandbox, takesLaunchInfo: stderr.includes('launch_info') };
}
