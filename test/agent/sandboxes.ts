import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A run of an executor, and the directory that it has. */
export interface Sandbox {
  frameworkId: string;
  executorId: string;
  containerId: string;
  /** Where it is on this machine. */
  path: string;
  /** Where the agent says it is: below its work directory. */
  directory: string;
  isRunning: boolean;
}

/**
 * The sandboxes of one agent below a work directory, as they lie there, those of one executor from the newest on. One
 * in which a task is active has a running executor.
 */
export function sandboxesIn(workDir: string, agentId: string, shownWorkDir = workDir): Sandbox[] {
  const agent = join('slaves', agentId, 'frameworks');
  return namesIn(join(workDir, agent)).flatMap((frameworkId) => {
    const framework = join(agent, frameworkId, 'executors');
    return namesIn(join(workDir, framework)).flatMap((executorId) => {
      const runs = join(framework, executorId, 'runs');
      return newestFirst(join(workDir, runs)).map((containerId) => {
        const run = join(runs, containerId);
        return {
          frameworkId,
          executorId,
          containerId,
          path: join(workDir, run),
          directory: join(shownWorkDir, run),
          isRunning: namesIn(join(workDir, run, 'checkpoints/tasks/active')).length > 0,
        };
      });
    });
  });
}

/** The ids of the agents below a work directory. */
export function agentsIn(workDir: string): string[] {
  return namesIn(join(workDir, 'slaves'));
}

/** What is in a directory, without links. */
function namesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => !lstatSync(join(path, name)).isSymbolicLink())
    .sort();
}

/** The run that `latest` names, even by the path of another machine, and then the others by their age. */
function newestFirst(runs: string): string[] {
  const latest = readdirSync(runs).includes('latest')
    ? basename(readlinkSync(join(runs, 'latest')))
    : undefined;
  const age = (name: string) =>
    name === latest ? Number.POSITIVE_INFINITY : statSync(join(runs, name)).mtimeMs;
  return namesIn(runs).sort((left, right) => age(right) - age(left));
}
