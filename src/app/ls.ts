import type { Problem } from '../errors/problem.js';
import type { SandboxEntry } from '../sandbox/sandbox-tree.js';
import { textOf } from '../store/walk.js';
import { missingFile, type OpenSandbox, openSandbox, pathIn, type SandboxPorts } from './sandbox-word.js';

/** More is not listed at once: the user of a task may fill a sandbox at the cost of those who list it. */
const MOST_ENTRIES = 100_000;

export interface ListedEntry {
  /** From what is listed, as text. */
  name: string;
  entry: SandboxEntry;
}

export interface ListAnswer {
  task_id: string;
  root: string;
  /** The directory or file that is listed, without links. */
  path: string;
  entries: ListedEntry[];
  problems: Problem[];
}

/**
 * What is in the directory that `TASK[:PATH]` names, by name; for anything else, the thing itself. `recursive`: each
 * directory is followed by what is in it; no link is followed then. Rejects as `openSandbox`, and with NotFoundError
 * `file-missing`.
 */
export async function listFiles(
  word: string,
  { recursive }: { recursive: boolean },
  ports: SandboxPorts,
): Promise<ListAnswer> {
  const sandbox = await openSandbox(word, 'ls', ports);
  try {
    return await listIn(sandbox, recursive);
  } finally {
    sandbox.tree.close();
  }
}

async function listIn(sandbox: OpenSandbox, recursive: boolean): Promise<ListAnswer> {
  const { view, names, tree } = sandbox;
  const problems = [...sandbox.problems];
  const answer = (way: readonly string[], entries: ListedEntry[]): ListAnswer => {
    const path = pathIn(sandbox, way);
    return { task_id: view.task_id, root: view.root.path, path, entries, problems };
  };
  let looked = await tree.look(names, true);
  // A link that leads nowhere is there, too.
  if ('absent' in looked) looked = await tree.look(names, false);
  if ('problem' in looked) {
    problems.push({ ...looked.problem, task_id: view.task_id });
    return answer(names, []);
  }
  if ('absent' in looked) throw missingFile(sandbox);
  const { entry } = looked;
  if (entry.type !== 'directory') return answer(entry.names, [{ name: lastNameOf(entry), entry }]);
  const entries: ListedEntry[] = [];
  const pending = [entry];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next !== entry) entries.push({ name: nameBelow(entry, next), entry: next });
    if (next !== entry && (!recursive || next.type !== 'directory')) continue;
    // Those that wait are entries, too.
    const listed = await tree.list(next.names, MOST_ENTRIES - entries.length - pending.length);
    if ('problem' in listed) problems.push({ ...listed.problem, task_id: view.task_id });
    if (!('entries' in listed)) continue;
    for (const each of listed.entries.reverse()) pending.push(each);
    if (listed.complete) continue;
    problems.push(tooMany(pathIn(sandbox, next.names), view.task_id));
    if (recursive)
      for (const each of pending.splice(0).reverse())
        entries.push({ name: nameBelow(entry, each), entry: each });
  }
  return answer(entry.names, entries);
}

function nameBelow(top: SandboxEntry, { names }: SandboxEntry): string {
  return names.slice(top.names.length).map(textOf).join('/');
}

function lastNameOf({ names }: SandboxEntry): string {
  return textOf(names.at(-1) ?? '');
}

function tooMany(path: string, task_id: string): Problem {
  return {
    code: 'directory-too-large',
    severity: 'error',
    message: `there are more than the ${MOST_ENTRIES} entries that are listed, some of them in ${path}`,
    path,
    task_id,
    hint: 'list a directory in it',
  };
}
