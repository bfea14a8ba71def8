import * as Flags from '@oclif/core/flags';
import { TOP_SORT_WORDS } from '../views/parts/top-columns.js';
import { AGENT_FLAGS } from './agent-flags.js';

/** The flags of `top`. */
export const TOP_FLAGS = {
  interval: Flags.string({
    char: 'd',
    default: '2s',
    helpValue: 'DURATION',
    summary: 'The time between two samples, over which rates are computed.',
  }),
  count: Flags.integer({
    char: 'n',
    min: 0,
    helpValue: 'N',
    summary: 'Print N samples, and end; 0: until interrupted.',
  }),
  once: Flags.boolean({ exclusive: ['count'], summary: 'Print one sample, and end, on a terminal too.' }),
  sort: Flags.string({
    options: TOP_SORT_WORDS,
    parse: async (word) => word.toLowerCase(),
    helpValue: 'COLUMN',
    summary: 'The column to sort by: numbers descend, names ascend. [default: cpu; with --json, by id]',
  }),
  reverse: Flags.boolean({ summary: 'Reverse the order.' }),
  processes: Flags.boolean({ summary: 'Show a line for each process instead of each task.' }),
  pss: Flags.boolean({
    summary:
      'Also read PSS, memory with shared pages in parts: the kernel then visits all memory of each process.',
  }),
  record: Flags.string({
    helpValue: 'FILE',
    summary: 'Also append each sample to FILE, as --json prints it, for report --usage.',
  }),
  'record-size': Flags.string({
    dependsOn: ['record'],
    helpValue: 'SIZE',
    summary:
      'A FILE that would become longer is renamed to FILE.1, which replaces the one before. [default: 32M]',
  }),
  ...AGENT_FLAGS,
};
