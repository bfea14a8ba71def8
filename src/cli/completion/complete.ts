import { PROCESS_STATES } from '../../checkpoint/records.js';
import type { Awaitable } from '../../task/gatherer.js';
import { visible } from '../../text/escape.js';
import { SIGNAL_NAMES } from '../../text/signals.js';
import { type CommandClass, type CommandTable, summaryOf, TOPICS, visibleIds } from '../page.js';
import type { CompletionKind } from './kinds.js';
import {
  type Candidate,
  flagCandidates,
  type GivenRoots,
  named,
  type Slot,
  slotOf,
  splitLine,
  wantsValue,
} from './line.js';

/** The names on this machine that can be completed; read only when needed. */
export interface CompletionSource {
  /** The ids of all tasks, or of those that are not over. */
  taskIds(roots: GivenRoots, phase?: 'active'): Awaitable<Iterable<string>>;
  /** The state of each of these tasks in a few words, where it is quickly read. */
  aboutTasks(ids: readonly string[], roots: GivenRoots): Awaitable<ReadonlyMap<string, string>>;
  /** Names of the processes of one task. */
  processes(taskId: string, roots: GivenRoots): Awaitable<Iterable<string>>;
  /** Those that run now. */
  runningProcesses(taskId: string, roots: GivenRoots): Awaitable<Iterable<Candidate>>;
  /** Names of the processes of the task in a config, if it need not be evaluated. */
  configProcesses(path: string): Awaitable<Iterable<string>>;
  /** The words for what is in a directory of a sandbox: `TASK:` or `TASK:DIRECTORY/`; rejects if there is none. */
  files(directory: string, roots: GivenRoots): Awaitable<Iterable<string>>;
}

export interface Commands {
  all: CommandTable;
  /** The base class: for the flags that may come before the command's name. */
  base: CommandClass;
}

/** Among more tasks, nobody looks for one by its state, and reading them would take time. */
const MOST_DESCRIBED = 50;

/**
 * The candidates for the last word, all of which begin with it: commands, flags, the fixed values of flags and
 * arguments, and names of the kind that the argument or flag declares (see `Kind`). `words` are those after the
 * program's name, without quotes. `described`: with texts about them. Where a path is wanted, nothing is returned, and
 * shells complete files.
 */
export async function complete(
  words: readonly string[],
  commands: Commands,
  source: CompletionSource,
  described: boolean,
): Promise<Candidate[]> {
  const current = words.at(-1) ?? '';
  const typed = words.slice(0, -1);
  const { before, word, after } = splitLine(typed, commands.base);
  const ids = visibleIds(commands.all);
  if (word === undefined) {
    if (wantsValue(typed, commands.base)) return [];
    if (current.startsWith('-')) return beginning(current, flagCandidates(commands.base));
    return aboutCommands(beginning(current, ids.map(named)), commands.all, described);
  }
  const load = ids.includes(word) ? commands.all[word] : undefined;
  const slot = load && slotOf([...before, ...after], current, await load());
  if (slot === undefined) return [];
  const fitting = await fittingIn(slot, commands.all, source);
  return (await about(fitting, slot, { commands: commands.all, source, described })).map((each) => ({
    ...each,
    word: slot.before + each.word,
  }));
}

async function fittingIn(slot: Slot, commands: CommandTable, source: CompletionSource): Promise<Candidate[]> {
  const { wanted, current, used } = slot;
  const names = typeof wanted === 'string' ? await namesOf(wanted, slot, commands, source) : wanted;
  const fitting = beginning(current, names).filter(({ word }) => !used.has(word));
  return typeof wanted === 'string' ? fitting.filter(({ word }) => isArgument(word, slot)) : fitting;
}

/** The names of a kind that are here; not only those that fit. */
async function namesOf(
  kind: CompletionKind,
  slot: Slot,
  commands: CommandTable,
  source: CompletionSource,
): Promise<Candidate[]> {
  const { line, current } = slot;
  const [first] = line.args;
  const words = async (names: Awaitable<Iterable<string>>) => Array.from(await names, named);
  switch (kind) {
    case 'task':
      return words(source.taskIds(line.roots));
    case 'active-task':
      return words(source.taskIds(line.roots, 'active'));
    case 'process':
      return first === undefined ? [] : words(source.processes(first, line.roots));
    case 'running-process':
      return first === undefined ? [] : [...(await source.runningProcesses(first, line.roots))];
    case 'condition':
      return conditions(first === undefined ? [] : await source.processes(first, line.roots), current);
    case 'config-process': {
      const again = line.values.get('again')?.at(-1);
      if (again !== undefined) return words(source.processes(again, line.roots));
      return first === undefined ? [] : words(source.configProcesses(first));
    }
    case 'signal':
      // HUP, as in kill(1); whole names too, once the word begins like one.
      return SIGNAL_NAMES.map((name) => named(current.startsWith('SIG') ? name : name.slice(3)));
    case 'file':
      return words(filesOrTasks(current, line.roots, source));
    // Of this host, unless it begins as a task does.
    case 'destination':
      return /^[^./~]/.test(current) ? words(filesOrTasks(current, line.roots, source)) : [];
    case 'command':
      return [...visibleIds(commands), ...TOPICS.map(([topic]) => topic)].map(named);
    case 'code':
      return first === 'codes' ? words((await import('../codes.js')).CODES.keys()) : [];
  }
}

/** The steps of `process=NAME:STATE`: its beginning while no process is known, names, then states. */
function conditions(processes: Iterable<string>, current: string): Candidate[] {
  const words: string[] = [];
  for (const process of processes) {
    if (process === '') continue;
    const start = `process=${process}:`;
    if (!current.startsWith(start)) words.push(start);
    else for (const state of PROCESS_STATES) words.push(`${start}${state}`);
  }
  return (words.length === 0 ? ['process='] : words).filter((word) => word !== current).map(named);
}

/** The words that `TASK[:PATH]` can go on to. */
async function filesOrTasks(current: string, roots: GivenRoots, source: CompletionSource): Promise<string[]> {
  const words: string[] = [];
  for (const id of await source.taskIds(roots)) if (`${id}:` !== current) words.push(`${id}:`);
  const [directory] = /^[^:]*:(?:.*\/)?/s.exec(current) ?? [];
  if (directory === undefined) return words;
  try {
    for (const word of await source.files(directory, roots)) words.push(word);
  } catch {
    // It is not one, or not yet.
  }
  return words;
}

/** The candidates with what there is to say about them. */
async function about(
  candidates: Candidate[],
  { wanted, line }: Slot,
  { commands, source, described }: { commands: CommandTable; source: CompletionSource; described: boolean },
): Promise<Candidate[]> {
  if (wanted === 'command') return aboutCommands(candidates, commands, described);
  const isTask = wanted === 'task' || wanted === 'active-task';
  if (!described || !isTask || candidates.length > MOST_DESCRIBED) return candidates;
  const ids = candidates.map(({ word }) => word);
  const texts = await source.aboutTasks(ids, line.roots);
  return ids.map((word) => ({ word, text: texts.get(word) }));
}

/** The summaries are in the classes, which have to be loaded. */
async function aboutCommands(
  candidates: Candidate[],
  commands: CommandTable,
  described: boolean,
): Promise<Candidate[]> {
  if (!described) return candidates;
  const topics = new Map(TOPICS);
  return Promise.all(
    candidates.map(async ({ word }) => {
      const command = await commands[word]?.();
      return { word, text: command === undefined ? topics.get(word) : summaryOf(command) };
    }),
  );
}

/**
 * Whether a name from the disk, inserted at the end of the line, would be an argument with that name. Before `--`, a
 * name with a dash is a flag. Names with invisible characters are left out, because shells print candidates as they
 * are; names that were not UTF-8 are left out, because their bytes are lost.
 */
function isArgument(name: string, { line, before }: Slot): boolean {
  if (name === '' || (name.startsWith('-') && before === '' && !line.dashes)) return false;
  return visible(name) === name && !name.includes('\ufffd');
}

/** Sorted, each once. */
function beginning(start: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates
    .filter(({ word }) => word.startsWith(start))
    .sort((a, b) => (a.word < b.word ? -1 : a.word > b.word ? 1 : 0))
    .filter(({ word }, i, sorted) => word !== sorted[i - 1]?.word);
}
