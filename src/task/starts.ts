import type { FoundTask } from '../discovery/found.js';
import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { accountGroups } from '../host/groups.js';
import type { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { ExactStarts, MOST_STARTS_BYTES, parseStarts, STARTS } from '../layout/starts.js';
import type { Directories } from '../store/directories.js';
import { type OpenOptions, useFile } from '../store/open-file.js';
import { findUntrusted, pathOwner } from '../store/ownership.js';
import { unreadable } from '../store/problems.js';
import { RefusedError } from '../store/refused.js';

/** As `readStarts`, of a task on this host. */
export function startsOfTask(
  { root, checkpoint_dir, task_id }: Pick<FoundTask, 'root' | 'checkpoint_dir' | 'task_id'>,
  uid: number | undefined,
  host: Host,
  directories?: Directories,
): { starts: ExactStarts; problem?: Problem } {
  const trusted = new Set(uid === undefined ? [0, host.euid] : [0, host.euid, uid]);
  const opening: OpenOptions = { below: LAYOUTS[root.layout].base(root), as: 'owner', directories };
  const { starts, problem } = readStarts(checkpoint_dir, opening, trusted, host.bootId());
  return { starts, problem: problem && { ...problem, task_id } };
}

/**
 * The exact starts that the runners of a task kept in its checkpoint directory, opened as `opening` says; none if they
 * kept none. A file that anyone but the trusted users may have written is not believed, and reported like one that cannot
 * be read. Never throws, except for bugs.
 */
export function readStarts(
  directory: string,
  opening: OpenOptions,
  trusted: ReadonlySet<number>,
  bootId: string | undefined,
): { starts: ExactStarts; problem?: Problem } {
  const path = `${directory}/${STARTS}`;
  try {
    const text = useFile(path, { ...opening, oneName: true, max: MOST_STARTS_BYTES }, (file) => {
      const stranger = findUntrusted([pathOwner(path, file.stat)], trusted, accountGroups());
      if (stranger !== undefined) throw new RefusedError('ENOTREADER', `${path} ${stranger.what}`);
      return file.read(MOST_STARTS_BYTES).toString('utf8');
    });
    return { starts: parseStarts(text, bootId) };
  } catch (error) {
    const starts = new ExactStarts();
    if (errnoOf(error) === 'ENOENT') return { starts };
    if (errnoOf(error) === undefined && !(error instanceof RefusedError)) throw error;
    const tried = `read the exact starts in ${path}`;
    const what = 'the file of exact starts';
    const code = 'starts-unreadable';
    return { starts, problem: unreadable({ code, tried, what, error, path, severity: 'warning' }) };
  }
}
