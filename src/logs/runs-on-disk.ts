import type { Problem } from '../errors/problem.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { runOfName } from '../layout/log-paths.js';
import { isName } from '../layout/names.js';
import { tooManyEntries } from '../store/problems.js';
import type { LogDir } from './log-files.js';
import { unsafeName } from './problems.js';

/** The numbers of the runs of a process that have a directory, ascending, with the problems of the listing. */
export async function runsOnDisk(
  { path, tree }: LogDir,
  process: string,
): Promise<{ runs: number[]; problems: Problem[] }> {
  if (!isName(process)) return { runs: [], problems: [unsafeName(process)] };
  const directory = `${path}/${process}`;
  const listed = await tree.list(directory, MOST_ENTRIES.runs);
  if ('problem' in listed) return { runs: [], problems: [{ ...listed.problem, process }] };
  if (!('names' in listed)) return { runs: [], problems: [] };
  const runs = listed.names
    .map(runOfName)
    .filter((run) => run !== undefined)
    .sort((a, b) => a - b);
  return { runs, problems: listed.complete ? [] : [tooManyEntries(directory, MOST_ENTRIES.runs)] };
}

/** How many runs of each process have begun, judged by the last one with a directory. Omits what can't be listed. */
export async function startedOnDisk(logDir: LogDir): Promise<Map<string, number>> {
  const started = new Map<string, number>();
  const listed = await logDir.tree.list(logDir.path, MOST_ENTRIES.processes);
  for (const process of 'names' in listed ? listed.names.sort() : []) {
    const last = (await runsOnDisk(logDir, process)).runs.at(-1);
    if (last !== undefined) started.set(process, last + 1);
  }
  return started;
}
