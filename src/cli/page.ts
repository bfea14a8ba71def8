import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import { EXIT, type ExitMeanings, type ExitName } from '../errors/exit-codes.js';
import type { CompletionKinds } from './completion/kinds.js';
import type { KnownFlag } from './words.js';

/** What help, the man pages, the docs and completion say about a command; all of it comes from its class. */
export interface CommandPage {
  id: string;
  /** One sentence. */
  summary: string;
  /** Paragraphs. */
  description: string[];
  /** How it is called: `thermos tail`. */
  call: string;
  /** `thermos tail TASK [PROCESS...] [FLAGS]`. */
  usage: string[];
  args: ArgEntry[];
  /** The command's own flags first, by their `helpGroup`. */
  flagGroups: { title: string; flags: FlagEntry[] }[];
  exitCodes: [code: string, meaning: string][];
  environment: [name: string, meaning: string][];
  files: [path: string, meaning: string][];
  examples: Example[];
  /** Ids of commands. */
  seeAlso: string[];
}

export interface ArgEntry {
  name: string;
  /** As in the usage: `[PROCESS...]`. */
  label: string;
  text: string;
  options: readonly string[];
}

export interface FlagEntry {
  name: string;
  char?: string;
  /** Name of its value; undefined for a flag that takes none. */
  value?: string;
  /** Fixed values. */
  options: readonly string[];
  multiple: boolean;
  text: string;
}

export interface Example {
  text?: string;
  /** Without a prompt. */
  command: string;
}

/** The parts of a command's class that pages show. */
export interface CommandClass {
  readonly summary?: string;
  readonly description?: string;
  readonly usage?: string | string[];
  readonly examples?: readonly (string | { description: string; command: string })[];
  readonly args: ArgInput;
  readonly flags: FlagInput;
  readonly baseFlags: FlagInput;
  readonly strict: boolean;
  readonly exitCodes: ExitMeanings;
  /** Exit codes that no other command has; they follow the others. */
  readonly moreExitRows?: CommandPage['exitCodes'];
  /** The program that it is, if it is not called by its id; its exit codes are a table of their own. */
  readonly program?: { readonly name: string; readonly exitRows: CommandPage['exitCodes'] };
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly seeAlso: readonly string[];
  readonly usesDefaults?: boolean;
  readonly completes?: CompletionKinds;
}

/** Commands by name, each loaded on demand. */
export type CommandTable<Class extends CommandClass = CommandClass> = Readonly<
  Record<string, () => Promise<Class>>
>;

/** The commands that help lists; the others are for the program itself, its completion scripts and other programs. */
export function visibleIds(commands: CommandTable): string[] {
  return Object.keys(commands).filter((id) => !id.startsWith('_'));
}

interface FlagDefinition {
  multipleNonGreedy?: boolean;
  delimiter?: string;
  type: 'boolean' | 'option';
  char?: string;
  summary?: string;
  description?: string;
  helpValue?: string | string[];
  helpGroup?: string;
  hidden?: boolean;
  multiple?: boolean;
  required?: boolean;
  options?: readonly string[];
  /** Bounds of a number. */
  min?: number;
  max?: number;
  default?: unknown;
  defaultHelp?: unknown;
  allowNo?: boolean;
}

interface ArgDefinition {
  /** As it is called in the usage, if not by its name. */
  label?: string;
  description?: string;
  hidden?: boolean;
  multiple?: boolean;
  /** Like `multiple`, which oclif refuses after an optional argument. */
  repeats?: boolean;
  /** It begins after `--`, and what is before it is ours. */
  afterDashes?: boolean;
  required?: boolean;
  options?: readonly string[];
}

export const PROGRAM_NAME = 'thermos';

/** What there is to read about besides the commands. */
export const TOPICS: [name: string, summary: string][] = [
  ['codes', 'What the codes of problems and errors mean.'],
  ['config', 'The files of defaults: roots, limits of gc, colour, pager.'],
];

export function commandPage(id: string, command: CommandClass): CommandPage {
  const args = Object.entries((command.args ?? {}) as Record<string, ArgDefinition>)
    .filter(([, arg]) => !arg.hidden)
    .map(([name, arg]) => argEntry(name, arg));
  const usage = command.usage ?? [...args.map(({ label }) => label), '[FLAGS]'].join(' ');
  const call = command.program?.name ?? `${PROGRAM_NAME} ${id}`.trim();
  return {
    id,
    call,
    summary: summaryOf(command),
    description: paragraphs(command.description),
    usage: [usage].flat().map((words) => `${call} ${words}`),
    args,
    flagGroups: flagGroups(command),
    exitCodes: command.program?.exitRows ?? [...exitRows(command.exitCodes), ...(command.moreExitRows ?? [])],
    environment: Object.entries(command.environment),
    files: Object.entries(command.files),
    examples: (command.examples ?? []).map(example),
    seeAlso: [...command.seeAlso],
  };
}

/** The exit codes that these are, by number. */
export function exitRows(meanings: ExitMeanings): CommandPage['exitCodes'] {
  const names = Object.keys(EXIT) as ExitName[];
  return names.flatMap((name) => {
    const meaning = meanings[name];
    return meaning === undefined ? [] : [[String(EXIT[name]), meaning]];
  });
}

/** The flags that a command has, its own and the global ones, hidden ones included. */
export function flagsOf(command: CommandClass): Record<string, FlagDefinition> {
  return { ...command.flags, ...command.baseFlags } as unknown as Record<string, FlagDefinition>;
}

/** The flags that a command knows by their long names, for `words.ts`. */
export function knownFlags(command: CommandClass): (name: string) => KnownFlag | undefined {
  const flags = flagsOf(command);
  return (name) => {
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    return flag && { takesValue: flag.type === 'option' };
  };
}

/** The flags that a command knows by words such as `-n`. */
export function knownShortFlags(command: CommandClass): (word: string) => KnownFlag | undefined {
  const flags = Object.values(flagsOf(command));
  return (word) => {
    const flag = flags.find(({ char }) => char !== undefined && word === `-${char}`);
    return flag && { takesValue: flag.type === 'option' };
  };
}

/** What a command or a flag is, as pages show it: a sentence. */
export function summaryOf({ summary, description }: { summary?: string; description?: string }): string {
  return program(summary ?? description ?? '');
}

/** True for a command whose arguments are the command line of another program. */
export function isWrapper(command: CommandClass): boolean {
  const args = command.args as Readonly<Record<string, ArgDefinition>> | undefined;
  return args?.command?.repeats === true && !isAfterDashes(command);
}

/** True for a command that takes the command line of another program after `--`. */
export function isAfterDashes(command: CommandClass): boolean {
  const args = command.args as Readonly<Record<string, ArgDefinition>> | undefined;
  return args?.command?.afterDashes === true;
}

/** `TASK`, `[TASK]`, `TASK...`, `[TASK...]`. */
function argEntry(name: string, arg: ArgDefinition): ArgEntry {
  const called = arg.label ?? name.toUpperCase().replaceAll('_', '-');
  const words = `${called}${arg.multiple || arg.repeats ? '...' : ''}`;
  return {
    name,
    label: arg.required ? words : `[${words}]`,
    text: withOptions(program(arg.description ?? ''), arg.options),
    options: arg.options ?? [],
  };
}

function flagGroups(command: CommandClass): CommandPage['flagGroups'] {
  const groups = new Map<string, FlagEntry[]>();
  for (const [name, flag] of Object.entries(flagsOf(command))) {
    if (flag.hidden) continue;
    const title = flag.helpGroup === undefined ? 'FLAGS' : `${flag.helpGroup} FLAGS`;
    groups.set(title, [...(groups.get(title) ?? []), flagEntry(name, flag)]);
  }
  return [...groups].map(([title, flags]) => ({ title, flags }));
}

function flagEntry(name: string, flag: FlagDefinition): FlagEntry {
  const shown = typeof flag.defaultHelp === 'string' ? flag.defaultHelp : flag.default;
  const fixed = ['string', 'number'].includes(typeof shown) ? ` [default: ${shown}]` : '';
  const listed = flag.helpValue === undefined && fewOptions(flag.options ?? []) ? [] : flag.options;
  const required = flag.required ? ' (required)' : '';
  return {
    name: flag.allowNo ? `[no-]${name}` : name,
    char: flag.char,
    value: flag.type === 'option' ? valueName(name, flag) : undefined,
    options: flag.options ?? [],
    multiple: flag.multiple ?? false,
    text: withOptions(summaryOf(flag), listed) + fixed + required,
  };
}

function valueName(name: string, { helpValue, options }: FlagDefinition): string {
  if (helpValue !== undefined) return [helpValue].flat().join(' ');
  if (options === undefined) return name.toUpperCase().replaceAll('-', '_');
  return fewOptions(options) ? options.join('|') : 'VALUE';
}

/** Few enough to be shown in place of the value's name. */
function fewOptions(options: readonly string[]): boolean {
  return options.length <= 3;
}

function withOptions(text: string, options: readonly string[] | undefined): string {
  return options === undefined || options.length === 0 ? text : `${text} One of: ${options.join(', ')}.`;
}

function example(given: string | { description: string; command: string }): Example {
  if (typeof given === 'string') return { command: program(given) };
  return { text: program(given.description), command: program(given.command) };
}

function paragraphs(text = ''): string[] {
  return program(text)
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim().replace(/\s*\n\s*/g, ' '))
    .filter((paragraph) => paragraph !== '');
}

/** Fills in the program's name, which oclif's templates leave open. */
function program(text: string): string {
  return text.replaceAll('<%= config.bin %>', PROGRAM_NAME);
}
