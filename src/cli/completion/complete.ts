import type { Awaitable } from '../../task/gatherer.js';
import { visible } from '../../text/escape.js';
import { inheritedFlag, withoutInherited } from '../inherited-flags.js';
import {
  type CommandClass,
  type CommandTable,
  flagsOf,
  isWrapper,
  knownFlags,
  knownShortFlags,
  TOPICS,
  visibleIds,
} from '../page.js';
import { dashed, longName, splitCommand } from '../words.js';

/** The names on this machine that can be completed; read only when needed. */
export interface CompletionSource {
  taskIds(roots: GivenRoots): Awaitable<Iterable<string>>;
  /** Names of the processes of one task. */
  processes(taskId: string, roots: GivenRoots): Awaitable<Iterable<string>>;
  /** The words for what is in a directory of a sandbox: `TASK:` or `TASK:DIRECTORY/`; rejects if there is none. */
  files(directory: string, roots: GivenRoots): Awaitable<Iterable<string>>;
}

/** The roots that the line names. */
export interface GivenRoots {
  root: string[];
  'mesos-root': string[];
}

export interface Commands {
  all: CommandTable;
  /** The base class: for the flags that may come before the command's name. */
  base: CommandClass;
}

/**
 * The candidates for the last word, all of which begin with it: commands, flags, the fixed values of flags
 * and arguments, task ids, names of processes. `words` are those after the program's name, without quotes.
 * Where a path is wanted, nothing is returned, and shells complete files.
 *
 * The names of arguments decide: `file` means `TASK:PATH`, `dest` that or a file here, `task` and `target` task ids, `process` the processes of the task
 * before it, `command` a command or a topic, `code` a code of problems and errors.
 */
export async function complete(
  words: readonly string[],
  commands: Commands,
  source: CompletionSource,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const ofAll = knownFlags(commands.base);
  const globalFlags = (name: string) => ofAll(name) ?? inheritedFlag(name);
  const split = splitCommand(before, globalFlags);
  const ids = visibleIds(commands.all);
  if (split.word === undefined) {
    if (wantsValue(before, globalFlags)) return [];
    return beginning(current, current.startsWith('-') ? flagWords(commands.base) : ids);
  }
  const load = ids.includes(split.word) ? commands.all[split.word] : undefined;
  if (load === undefined) return [];
  const command = await load();
  return completeCommand([...split.before, ...split.after], current, command, ids, source);
}

async function completeCommand(
  before: readonly string[],
  current: string,
  command: CommandClass,
  ids: readonly string[],
  source: CompletionSource,
): Promise<string[]> {
  const own = {
    flagOf: knownFlags(command),
    shortFlagOf: knownShortFlags(command),
    isWrapper: isWrapper(command),
  };
  const { words, wrong } = withoutInherited(before, own);
  // The value of an inherited flag comes next.
  if (wrong !== undefined) return [];
  const line = parseLine(words, command);
  if (line.pending !== undefined) return beginning(current, optionsOf(command, line.pending));
  if (!line.dashes && current.startsWith('-')) {
    const name = longName(current);
    if (name === undefined || !current.includes('=')) return beginning(current, flagWords(command));
    const flag = dashed([current], knownFlags(command))[0]?.slice(2).split('=')[0] as string;
    const [given] = current.split('=', 1) as [string];
    return beginning(
      current,
      optionsOf(command, flag).map((option) => `${given}=${option}`),
    );
  }
  const args = Object.entries((command.args ?? {}) as Record<string, ArgShape>);
  const at = line.args.length;
  const [name, arg] = args[at] ?? lastMultiple(args) ?? [];
  if (name === undefined || arg === undefined) return [];
  if (arg.options !== undefined) return beginning(current, arg.options);
  const used = new Set(line.args);
  const names = (found: Iterable<string>) =>
    beginning(
      current,
      [...found].filter((each) => !used.has(each) && isArgument(each, line)),
    );
  switch (name) {
    case 'task':
    case 'target':
    case 'other':
      return names(await source.taskIds(line.roots));
    case 'process':
      return names(await source.processes(line.args[0] as string, line.roots));
    case 'file':
      return names(await filesOrTasks(current, line.roots, source));
    // Of this host, unless it begins as a task does.
    case 'dest':
      return /^[^./~]/.test(current) ? names(await filesOrTasks(current, line.roots, source)) : [];
    case 'command':
      return beginning(current, [...ids, ...TOPICS.map(([topic]) => topic)]);
    case 'code':
      return line.args[0] === 'codes' ? beginning(current, (await import('../codes.js')).CODES.keys()) : [];
    default:
      return [];
  }
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

interface ArgShape {
  options?: readonly string[];
  multiple?: boolean;
  repeats?: boolean;
}

interface Line {
  args: string[];
  roots: GivenRoots;
  /** The flag whose value comes next. */
  pending: string | undefined;
  /** There was a `--`. */
  dashes: boolean;
}

/** Reads the words as the parser would; skips what the parser would refuse. */
function parseLine(words: readonly string[], command: CommandClass): Line {
  const flags = flagsOf(command);
  const line: Line = { args: [], roots: { root: [], 'mesos-root': [] }, pending: undefined, dashes: false };
  for (const word of dashed(words, knownFlags(command))) {
    if (line.pending !== undefined) {
      if (line.pending === 'root' || line.pending === 'mesos-root') line.roots[line.pending].push(word);
      line.pending = undefined;
    } else if (line.dashes || !word.startsWith('-') || word === '-') {
      line.args.push(word);
    } else if (word === '--') {
      line.dashes = true;
    } else {
      const [name, value] = splitFlag(word, flags);
      if (name === undefined || flags[name]?.type !== 'option') continue;
      if (value === undefined) line.pending = name;
      else if (name === 'root' || name === 'mesos-root') line.roots[name].push(value);
    }
  }
  return line;
}

/** `--name`, `--name=value`, `-n`, `-nvalue`. */
function splitFlag(
  word: string,
  flags: ReturnType<typeof flagsOf>,
): [string | undefined, string | undefined] {
  const name = longName(word);
  if (name !== undefined) {
    const equals = word.indexOf('=');
    return [
      Object.hasOwn(flags, name) ? name : undefined,
      equals === -1 ? undefined : word.slice(equals + 1),
    ];
  }
  const byChar = Object.entries(flags).find(([, { char }]) => char === word[1]);
  return [byChar?.[0], word.length > 2 ? word.slice(2) : undefined];
}

function lastMultiple(args: [string, ArgShape][]): [string, ArgShape] | undefined {
  const last = args.at(-1);
  return last?.[1].multiple || last?.[1].repeats ? last : undefined;
}

/** True if the words end with a flag whose value is still missing. */
function wantsValue(words: readonly string[], flagOf: ReturnType<typeof knownFlags>): boolean {
  const last = words.at(-1);
  if (last === undefined || last.includes('=')) return false;
  const flag = dashed([last], flagOf)[0]?.slice(2) as string;
  return flagOf(flag)?.takesValue === true && splitCommand(words.slice(0, -1), flagOf).word === undefined;
}

function optionsOf(command: CommandClass, flag: string): readonly string[] {
  const flags = flagsOf(command);
  return (Object.hasOwn(flags, flag) && flags[flag]?.options) || [];
}

function flagWords(command: CommandClass): string[] {
  const flags = Object.entries(flagsOf(command)).filter(([, flag]) => !flag.hidden);
  return [...flags.map(([name]) => `--${name}`), '--help'];
}

/**
 * Whether a name from the disk, inserted at the end of the line, would be an argument with that name. Before `--`, a
 * name with a dash is a flag. Names with invisible characters are left out, because shells print candidates as they
 * are; names that were not UTF-8 are left out, because their bytes are lost.
 */
function isArgument(name: string, { dashes }: Line): boolean {
  if (name === '' || (name.startsWith('-') && !dashes)) return false;
  return visible(name) === name && !name.includes('\ufffd');
}

/** Sorted, each once. */
function beginning(start: string, candidates: Iterable<string>): string[] {
  const fitting = [...new Set(candidates)].filter((each) => each.startsWith(start));
  return fitting.sort((a, b) => (a < b ? -1 : 1));
}
