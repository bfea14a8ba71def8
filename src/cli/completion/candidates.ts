import {
  configProcessesToName,
  filesToName,
  idsToName,
  listedOnce,
  processesToName,
  runningToName,
  tasksToDescribe,
} from '../../app/complete.js';
import { localTasks } from '../../app/local-tasks.js';
import type { RootFlags } from '../../app/search.js';
import { localSandbox } from '../../sandbox/local-sandbox.js';
import type { TaskGatherer } from '../../task/gatherer.js';
import { visible } from '../../text/escape.js';
import { processSummary, taskSummary } from '../../views/completion.js';
import { requote, unquote } from './bash-words.js';
import { type Commands, type CompletionSource, complete } from './complete.js';

/** Names of this host's tasks and processes, with words about them. */
export const namesIn = (defaultRoots: RootFlags['defaultRoots'], now: number): CompletionSource => {
  let tasks: TaskGatherer | undefined;
  // A line names the same roots whatever is asked about it.
  const tasksIn = (roots: object) => (tasks ??= listedOnce(localTasks({ ...roots, defaultRoots })));
  return {
    taskIds: (roots, phase) => idsToName(tasksIn(roots), phase),
    aboutTasks: async (ids, roots) => {
      const views = await tasksToDescribe(ids, tasksIn(roots));
      return new Map(views.map((view) => [view.task_id, taskSummary(view, now)]));
    },
    processes: (taskId, roots) => processesToName(taskId, tasksIn(roots)),
    runningProcesses: async (taskId, roots) => {
      const processes = await runningToName(taskId, tasksIn(roots));
      return processes.map((view) => ({ word: view.process, text: processSummary(view, now) }));
    },
    configProcesses: configProcessesToName,
    files: (directory, roots) =>
      filesToName(directory, { gatherer: tasksIn(roots), sandboxOf: localSandbox }),
  };
};

/** Nobody reads more of it beside a name, and a user's name comes from the disk. */
const LONGEST_TEXT = 200;

/** A line to complete, as a shell gives it. */
export interface TypedLine {
  readonly shell: string;
  /** The last one is to be completed. */
  readonly words: readonly string[];
  /** The characters at which bash breaks words. */
  readonly wordBreaks: string;
  /** Give texts about candidates, too. */
  readonly describe: boolean;
}

/** The lines that a completion script reads: a candidate each, with a tab and a text about it if there is one. */
export async function candidateLines(
  { shell, words, wordBreaks, describe }: TypedLine,
  commands: Commands,
  source: CompletionSource,
): Promise<string> {
  const read = shell === 'bash' ? words.map((word) => unquote(word).text) : words;
  const last = words.at(-1) as string;
  let lines = '';
  for (const { word, text } of await complete(read, commands, source, describe)) {
    const insert = inserted(word, shell, last, wordBreaks);
    if (insert === undefined) continue;
    lines += describe && text ? `${insert}\t${visible(text.slice(0, LONGEST_TEXT))}\n` : `${insert}\n`;
  }
  return lines;
}

/** The text that the shell inserts for the typed word; undefined if no text would be read as the candidate. */
function inserted(candidate: string, shell: string, typed: string, wordBreaks: string): string | undefined {
  if (shell === 'bash') return requote(candidate, typed, wordBreaks);
  // zsh and fish quote by themselves, but fish does not quote a leading tilde, which means a home directory.
  return shell === 'fish' && candidate.startsWith('~') ? undefined : candidate;
}
