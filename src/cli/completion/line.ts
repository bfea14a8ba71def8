import { inheritedFlag, withoutInherited } from '../inherited-flags.js';
import {
  type CommandClass,
  flagsOf,
  isAfterDashes,
  isWrapper,
  knownFlags,
  knownShortFlags,
  summaryOf,
} from '../page.js';
import { dashed, longName, splitCommand } from '../words.js';
import { type CompletionKind, KINDS_OF_ARGUMENTS } from './kinds.js';

/** A word that can be completed, and a few words about it for the shells that show them. */
export interface Candidate {
  word: string;
  text?: string;
}

/** The roots that the line names. */
export interface GivenRoots {
  root: string[];
  'mesos-root': string[];
}

/** The complete words of a line, read as the parser would; what it would refuse is skipped. */
export interface Line {
  args: string[];
  /** The values of each flag. */
  values: ReadonlyMap<string, readonly string[]>;
  roots: GivenRoots;
  /** The flag whose value comes next. */
  pending: string | undefined;
  /** There was a `--`. */
  dashes: boolean;
}

/** What the word at the end of a line can go on to. */
export interface Slot {
  line: Line;
  /** The part of the word that is certain: `--state=FAILED,`. */
  before: string;
  /** The rest of it. */
  current: string;
  /** Names of a kind, or these. */
  wanted: CompletionKind | readonly Candidate[];
  /** Those that are in the line already, and need not be offered again. */
  used: ReadonlySet<string>;
}

/** Splits the words of a line into those around the command's name; `word` is undefined if there is none yet. */
export function splitLine(words: readonly string[], base: CommandClass): ReturnType<typeof splitCommand> {
  return splitCommand(words, globalFlags(base));
}

/** True if the words end with a flag whose value is still missing, before any command. */
export function wantsValue(words: readonly string[], base: CommandClass): boolean {
  const flagOf = globalFlags(base);
  const last = words.at(-1);
  if (last === undefined || last.includes('=')) return false;
  const flag = dashed([last], flagOf)[0]?.slice(2) as string;
  return flagOf(flag)?.takesValue === true && splitCommand(words.slice(0, -1), flagOf).word === undefined;
}

/** The flags that may come before the command. */
function globalFlags(base: CommandClass): ReturnType<typeof knownFlags> {
  const ofAll = knownFlags(base);
  return (name) => ofAll(name) ?? inheritedFlag(name);
}

/** What the word after the words of a command can go on to; undefined if nothing is known about it. */
export function slotOf(before: readonly string[], current: string, command: CommandClass): Slot | undefined {
  const own = {
    flagOf: knownFlags(command),
    shortFlagOf: knownShortFlags(command),
    isWrapper: isWrapper(command),
  };
  const { words, wrong } = withoutInherited(before, own);
  // The value of an inherited flag comes next.
  if (wrong !== undefined) return undefined;
  const line = parseLine(words, command);
  if (line.pending !== undefined) return valueSlot(line.pending, { line, before: '', current }, command);
  if (line.dashes || !current.startsWith('-')) return argumentSlot(line, current, command);
  if (longName(current) === undefined || !current.includes('=')) {
    return { line, before: '', current, wanted: flagCandidates(command), used: new Set() };
  }
  const flag = dashed([current], own.flagOf)[0]?.slice(2).split('=')[0] as string;
  const end = current.indexOf('=') + 1;
  return valueSlot(flag, { line, before: current.slice(0, end), current: current.slice(end) }, command);
}

function argumentSlot(line: Line, current: string, command: CommandClass): Slot | undefined {
  const args = Object.entries((command.args ?? {}) as Record<string, ArgShape>);
  const [name, arg] = args[line.args.length] ?? lastMultiple(args) ?? [];
  if (name === undefined || arg === undefined) return undefined;
  // What --again names is instead of a config: shells would offer files.
  if (name === 'config' && line.values.has('again'))
    return { line, before: '', current, wanted: flagCandidates(command), used: new Set() };
  // The command line of another program.
  if ((isWrapper(command) || isAfterDashes(command)) && (line.dashes || name === 'command')) return undefined;
  const wanted = arg.options?.map(named) ?? command.completes?.[name] ?? KINDS_OF_ARGUMENTS[name];
  return wanted && { line, before: '', current, wanted, used: new Set(line.args) };
}

/** Of a list, the part before its last comma is certain. */
function valueSlot(
  name: string,
  { line, before, current }: Pick<Slot, 'line' | 'before' | 'current'>,
  command: CommandClass,
): Slot | undefined {
  const flags = flagsOf(command);
  const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag === undefined) return undefined;
  const wanted = flag.options?.map(named) ?? command.completes?.[name] ?? fewNumbers(flag);
  if (wanted === undefined) return undefined;
  if (flag.delimiter === undefined) return { line, before, current, wanted, used: new Set() };
  const end = current.lastIndexOf(flag.delimiter) + 1;
  const used = new Set(current.slice(0, end).split(flag.delimiter));
  return { line, before: before + current.slice(0, end), current: current.slice(end), wanted, used };
}

/** The numbers between close bounds. */
function fewNumbers({ min, max }: { min?: number; max?: number }): Candidate[] | undefined {
  if (min === undefined || max === undefined || max - min > 9) return undefined;
  return Array.from({ length: max - min + 1 }, (_, i) => named(String(min + i)));
}

export function named(word: string): Candidate {
  return { word };
}

/** The flags that a command has, except hidden ones, with their summaries. */
export function flagCandidates(command: CommandClass): Candidate[] {
  const candidates = [{ word: '--help', text: 'Show the help of this command.' }];
  for (const [name, flag] of Object.entries(flagsOf(command))) {
    if (flag.hidden) continue;
    const text = summaryOf(flag);
    candidates.push({ word: `--${name}`, text });
    if (flag.allowNo) candidates.push({ word: `--no-${name}`, text: `Not: ${text}` });
  }
  return candidates;
}

interface ArgShape {
  options?: readonly string[];
  multiple?: boolean;
  repeats?: boolean;
}

function parseLine(words: readonly string[], command: CommandClass): Line {
  const flags = flagsOf(command);
  const args: string[] = [];
  const values = new Map<string, string[]>();
  const give = (name: string, value: string) => values.set(name, [...(values.get(name) ?? []), value]);
  let pending: string | undefined;
  let dashes = false;
  for (const word of dashed(words, knownFlags(command))) {
    if (pending !== undefined) {
      give(pending, word);
      pending = undefined;
    } else if (dashes || !word.startsWith('-') || word === '-') {
      args.push(word);
    } else if (word === '--') {
      dashes = true;
    } else {
      const [name, value] = splitFlag(word, flags);
      if (name === undefined || flags[name]?.type !== 'option') continue;
      if (value === undefined) pending = name;
      else give(name, value);
    }
  }
  const roots = { root: values.get('root') ?? [], 'mesos-root': values.get('mesos-root') ?? [] };
  return { args, values, roots, pending, dashes };
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
