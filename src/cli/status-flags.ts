import * as Flags from '@oclif/core/flags';
import { SORT_KEYS } from '../app/task-order.js';
import { STATUS_COLUMNS } from '../views/parts/status-columns.js';
import { AGENT_FLAGS } from './agent-flags.js';
import { stateFlag } from './state-flag.js';

const STATES = ['ACTIVE', 'CLEANING', 'FINALIZING', 'SUCCESS', 'FAILED', 'KILLED', 'LOST', 'UNKNOWN'];

/** Which tasks are shown, and in which order. */
export const SELECTION_FLAGS = {
  only: Flags.string({ options: ['active', 'finished'], summary: 'Show only tasks in this phase.' }),
  state: stateFlag(STATES, 'Show only tasks in one of these states.'),
  failed: Flags.boolean({
    summary: 'Show only tasks that are FAILED or LOST, or whose verdict is not ok.',
  }),
  since: Flags.string({
    helpValue: 'TIME',
    summary:
      'Show only tasks that entered their state since then: 2h, 14:30, an RFC 3339 time, or Unix seconds.',
  }),
  sort: Flags.string({
    options: SORT_KEYS,
    parse: async (key) => key.toLowerCase(),
    helpValue: 'KEY',
    summary: 'Order: age (newest first), state (FAILED first), id, user, or failures (most first).',
  }),
  reverse: Flags.boolean({ summary: 'Reverse the order.' }),
};

/** The flags of `status`. */
export const STATUS_FLAGS = {
  ...SELECTION_FLAGS,
  limit: Flags.integer({ min: 1, helpValue: 'N', summary: 'Show only the first N tasks.' }),
  columns: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    options: STATUS_COLUMNS,
    parse: async (column) => column.toLowerCase(),
    helpValue: 'COLUMN,…',
    exclusive: ['json', 'quiet', 'verbosity', 'wide'],
    summary: 'Show these columns, and no others; only then are cpu, rss and disk of active tasks measured.',
  }),
  wide: Flags.boolean({
    exclusive: ['json', 'quiet', 'verbosity'],
    summary: 'Show all columns that need no measuring, and nothing cut, whatever the width of the terminal.',
  }),
  'no-trunc': Flags.boolean({ summary: 'Show ids whole, even if lines become longer than the terminal.' }),
  verbosity: Flags.integer({
    min: 0,
    max: 3,
    default: 1,
    summary: '0: ids and owners; 1: one line per task; 2: also user, ports and sandbox; 3: also processes.',
  }),
  watch: Flags.boolean({
    char: 'w',
    summary:
      'Show the tasks again whenever they change, until interrupted; on a terminal q, / and s are keys.',
  }),
  interval: Flags.string({
    dependsOn: ['watch'],
    helpValue: 'DURATION',
    summary: 'How often --watch looks. [default: 2s]',
  }),
  prometheus: Flags.boolean({
    exclusive: ['json', 'quiet', 'watch', 'sort', 'reverse', 'limit', 'columns', 'wide', 'verbosity'],
    summary: "Print metrics in Prometheus' text format, for the textfile collector of node_exporter.",
  }),
  'per-task': Flags.boolean({
    dependsOn: ['prometheus'],
    summary: 'Also print metrics of each task, with its id as a label.',
  }),
  stream: Flags.boolean({
    dependsOn: ['json'],
    exclusive: ['watch', 'sort', 'reverse', 'limit', 'prometheus'],
    summary: 'Print each task as a line of JSON as soon as it is read, and the totals in the last line.',
  }),
  quiet: Flags.boolean({
    char: 'q',
    exclusive: ['json', 'verbosity'],
    summary: 'Print only ids, one per line.',
  }),
  ...AGENT_FLAGS,
};
