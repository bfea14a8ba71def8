import { UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { type CopyOptions, type CopyShell, copyEntry, failedCopy } from '../sandbox/copy.js';
import { CopyTarget } from '../store/copy-target.js';
import { absolutePath, presenceOf } from '../store/look.js';
import { nameOf, parentOf } from '../store/paths.js';
import { bytesOf, textOf } from '../store/walk.js';
import { shellArguments } from '../text/shell.js';
import {
  missingFile,
  type OpenSandbox,
  openSandbox,
  pathIn,
  type SandboxPorts,
  useWords,
  type WordsAnswer,
} from './sandbox-word.js';

export interface CopyFilesOptions extends CopyOptions {
  recursive: boolean;
  /** For a relative destination. */
  cwd: string;
}

export interface CopiedWord {
  task_id: string;
  root: string;
  path: string;
  to: string;
  files: number;
  bytes: number;
}

export interface CopyAnswer extends WordsAnswer {
  copied: CopiedWord[];
}

/**
 * Copies what the words (`TASK[:PATH]`) name to a path of this host: into it, if it is a directory; else one word's thing
 * gets that path. Rejects as `useWords`, and with UsageError `copy-refused` for a destination that cannot be one, or a
 * directory without `recursive`.
 */
export async function copyFiles(
  words: readonly string[],
  dest: string,
  options: CopyFilesOptions,
  ports: SandboxPorts,
  shell: Omit<CopyShell, 'report'>,
): Promise<CopyAnswer> {
  await refuseSandbox(dest, ports);
  const { directory, name } = destinationOf(dest, words.length, options.cwd);
  const copied: CopiedWord[] = [];
  const taken = new Set<string>();
  let stopped = false;
  const answer = await useWords(words, 'cp', ports, async (sandbox) => {
    if (stopped) return [];
    const { view, top, names, tree } = sandbox;
    const looked = await tree.look(names, true);
    if ('problem' in looked) return [looked.problem];
    if ('absent' in looked) throw missingFile(sandbox);
    const { entry } = looked;
    const path = pathIn(sandbox, entry.names);
    if (entry.type === 'directory' && !options.recursive) {
      throw new UsageError('copy-refused', `${path} is a directory`, '--recursive copies directories');
    }
    const own = name ?? nameFor(sandbox, entry.names);
    const to = [directory === '/' ? '' : directory, textOf(own)].join('/');
    // A second one would replace the first, which nobody can mean.
    if (taken.has(own)) return [failedCopy(to, { code: 'EEXIST' })];
    taken.add(own);
    let target: CopyTarget;
    try {
      target = new CopyTarget(directory);
    } catch (error) {
      return [failedCopy(directory, error)];
    }
    const problems: Problem[] = [];
    try {
      const places = { tree, top, target, to: directory === '/' ? '' : directory };
      const report = (problem: Problem) => void problems.push(problem);
      const { files, bytes, complete } = await copyEntry(entry, own, places, options, { ...shell, report });
      stopped = !complete;
      if (files > 0 || problems.length === 0)
        copied.push({ task_id: view.task_id, root: view.root.path, path, to, files, bytes });
    } finally {
      target.close();
    }
    return problems;
  });
  return { ...answer, copied };
}

/** As it was typed, unless that is not a name: then the name of the directory, or the id of the task for its sandbox. */
function nameFor({ view, names }: OpenSandbox, way: readonly string[]): string {
  const typed = names.at(-1);
  return typed === undefined || typed === '..' ? (way.at(-1) ?? bytesOf(view.task_id)) : typed;
}

/** The directory to copy into, and the name of the copy if it is not that of the original. */
function destinationOf(dest: string, words: number, cwd: string): { directory: string; name?: string } {
  const path = absolutePath(dest, cwd);
  const presence = presenceOf(path);
  if (presence === 'directory') return { directory: path };
  const refused = (why: string) => new UsageError('copy-refused', `cannot copy to ${dest}: ${why}`);
  if (words > 1) throw refused('it is not a directory, and several things are to be copied');
  if (/\/(\.{1,2})?$|^\.{1,2}$/.test(dest)) throw refused('it is not a directory');
  const directory = parentOf(path);
  if (presenceOf(directory) !== 'directory') throw refused(`${directory} is not a directory`);
  return { directory, name: bytesOf(nameOf(path)) };
}

/**
 * Nothing is copied into a sandbox: only the user of the task can do that safely, because no link in it gives that
 * user more rights. A destination with a colon before any slash is one, unless there is a file of that name.
 */
async function refuseSandbox(dest: string, ports: SandboxPorts): Promise<void> {
  if (!/^[^/]*:/.test(dest) || presenceOf(dest) === 'directory' || presenceOf(dest) === 'other') return;
  const message = `cp copies out of sandboxes, not into them: ${dest}`;
  let hint = `a file here whose name has a colon: ${shellArguments(`./${dest}`)}`;
  try {
    const sandbox = await openSandbox(dest, 'cp', ports);
    sandbox.tree.close();
    const path = shellArguments(pathIn(sandbox, sandbox.names));
    const user = shellArguments(sandbox.view.user ?? sandbox.view.owner ?? 'root');
    hint = `as the user of the task: sudo -u ${user} cp FILE ${path}`;
  } catch {
    // It means no task.
  }
  throw new UsageError('copy-refused', message, hint);
}
