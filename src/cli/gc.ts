import * as Flags from '@oclif/core/flags';
import type { Defaults } from '../app/defaults.js';
import type { CollectedTasks, GcOptions, GcResult } from '../app/gc.js';
import type { RootFlags } from '../app/search.js';
import { encodeGc } from '../contracts/encode-gc.js';
import type { GcDocument } from '../contracts/gc.js';
import { badValue } from '../errors/errors.js';
import { parseDuration } from '../text/duration.js';
import { parseSize } from '../text/size.js';
import { gcText, nothingToCollect } from '../views/gc.js';
import { EXACT_FLAG, requireTask } from './exact-flag.js';
import { readRetained } from './retained.js';
import type { Style } from './terminal.js';

const LIMIT = { helpGroup: 'LIMIT' };

export const GC_FLAGS = {
  'max-age': Flags.string({
    ...LIMIT,
    helpValue: 'DURATION',
    summary: 'Keep tasks that finished within this time.',
  }),
  'max-tasks': Flags.string({ ...LIMIT, helpValue: 'N', summary: 'Keep the newest N tasks.' }),
  'max-space': Flags.string({
    ...LIMIT,
    helpValue: '20G',
    summary: 'Keep the newest tasks up to this size in total.',
  }),
  ...EXACT_FLAG,
  'keep-metadata': Flags.boolean({
    summary: 'Keep checkpoints and task files.',
    exclusive: ['delete-metadata'],
  }),
  'delete-metadata': Flags.boolean({ summary: 'Delete checkpoints and task files; the default.' }),
  'keep-logs': Flags.boolean({ summary: 'Keep logs.', exclusive: ['delete-logs'] }),
  'delete-logs': Flags.boolean({ summary: 'Delete logs; the default.' }),
  'keep-data': Flags.boolean({ summary: 'Keep sandboxes.', exclusive: ['delete-data'] }),
  'delete-data': Flags.boolean({ summary: 'Delete sandboxes.' }),
  sandbox: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'PATH',
    summary: "Also delete this sandbox: you state that it is the task's own.",
  }),
  orphans: Flags.boolean({ default: true, allowNo: true, summary: 'End tasks whose runner died.' }),
  'orphan-age': Flags.string({
    default: '1h',
    helpValue: 'DURATION',
    summary: 'How long the stream of such a task must have been unchanged.',
  }),
  'include-mesos': Flags.boolean({
    summary: 'Also remove metadata and logs of Mesos tasks that are over and whose executors are gone.',
  }),
  retained: Flags.string({
    helpValue: 'FILE',
    exclusive: ['max-age', 'max-tasks', 'max-space'],
    summary: 'Compare with the tasks that the scheduler has; - means stdin.',
  }),
  'dry-run': Flags.boolean({ aliases: ['dryrun'], summary: 'Show the plan, and do nothing.' }),
  yes: Flags.boolean({ char: 'y', aliases: ['force'], summary: 'Do not ask.' }),
  verbose: Flags.boolean({
    summary: 'Show every task and every path of the plan, even if it does not fit on the terminal.',
  }),
};

export interface GcFlags extends RootFlags {
  'max-age'?: string;
  'max-tasks'?: string;
  'max-space'?: string;
  'keep-metadata'?: boolean;
  'keep-logs'?: boolean;
  'keep-data'?: boolean;
  'delete-data'?: boolean;
  sandbox?: string[];
  orphans: boolean;
  'orphan-age': string;
  'include-mesos'?: boolean;
  retained?: string;
  'dry-run'?: boolean;
  yes?: boolean;
  verbose?: boolean;
}

/** With the limits of a file of defaults, where no task is named and nothing else says what goes. */
export function withDefaultLimits(words: readonly string[], flags: GcFlags, limits: Defaults['gc']): GcFlags {
  if (words.length > 0 || flags.retained !== undefined) return flags;
  const limit = (name: keyof Defaults['gc']) => flags[name] ?? limits[name];
  return {
    ...flags,
    'max-age': limit('max-age'),
    'max-tasks': limit('max-tasks'),
    'max-space': limit('max-space'),
  };
}

/** What the flags of `gc` say. Throws UsageError, for bad limits and for the file of --retained. */
export function gcOptions(words: readonly string[], flags: GcFlags): GcOptions {
  requireTask(words, flags);
  const limit = (
    name: 'max-age' | 'max-tasks' | 'max-space',
    parse: (text: string, flag: string) => number,
  ) => {
    const text = flags[name];
    return text === undefined ? undefined : parse(text, name);
  };
  const orphanAge = parseAge(flags['orphan-age'], 'orphan-age');
  return {
    roots: flags,
    words,
    kinds: {
      metadata: !flags['keep-metadata'],
      logs: !flags['keep-logs'],
      data: flags['keep-data'] ? false : flags['delete-data'] ? true : undefined,
    },
    limits: {
      maxAge: limit('max-age', parseAge),
      maxTasks: limit('max-tasks', parseCount),
      maxSpace: limit('max-space', parseSize),
    },
    orphanAge: flags.orphans ? orphanAge : undefined,
    includeMesos: flags['include-mesos'] === true,
    sandboxes: flags.sandbox ?? [],
    retained: flags.retained === undefined ? undefined : readRetained(flags.retained),
    dryRun: flags['dry-run'] === true,
    yes: flags.yes === true,
  };
}

const parseAge = (text: string, flag: string) => parseDuration(text, flag, { code: 'bad-age' });

/** A whole number from 0 on. Throws UsageError `bad-count`, with an example. */
function parseCount(text: string, flag: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw badValue(`--${flag}`, 'a number of tasks, 0 or higher', text, 'bad-count');
}

/** Draws a plan, as it is shown before the question. */
export function planText({ verbose }: Pick<GcFlags, 'verbose'>) {
  return ({ plan, outcomes }: CollectedTasks, style: Style): string =>
    gcText(encodeGc(true, outcomes, plan, []), { ...style, now: plan.machine.now }, verbose);
}

export interface GcAnswer {
  document: GcDocument;
  text: (style: Style) => string;
  notice?: string;
}

/** The answer for a result; ages in its text count from the moment of the plan. */
export function gcAnswer(
  { end, plan, outcomes, chosen, dryRun, problems }: GcResult,
  { verbose }: Pick<GcFlags, 'verbose'>,
): GcAnswer {
  const document = encodeGc(dryRun, outcomes, plan, problems);
  const text = (style: Style) => gcText(document, { ...style, now: plan.machine.now }, verbose);
  if (end === 'declined') return { document, text: () => '', notice: 'Nothing was done.' };
  return { document, text, notice: end === 'nothing' ? nothingToCollect(chosen) : undefined };
}
