import * as Flags from '@oclif/core/flags';
import { AGENT_FLAGS } from './agent-flags.js';

/** May be given several times. */
const patternFlag = (summary: string) =>
  Flags.string({ multiple: true, multipleNonGreedy: true, helpValue: 'RE', summary });

/** The flags of `tail`. */
export const TAIL_FLAGS = {
  lines: Flags.string({
    char: 'n',
    default: '10',
    helpValue: 'N|all',
    summary: 'How many lines of each log to show first.',
  }),
  follow: Flags.boolean({
    char: 'f',
    exclusive: ['no-follow'],
    summary: 'Follow the logs, or wait for them to start.',
  }),
  'no-follow': Flags.boolean({ summary: 'Stop after the last lines, even if the task is running.' }),
  stdout: Flags.boolean({ summary: 'Show only stdout.' }),
  stderr: Flags.boolean({ summary: 'Show only stderr.' }),
  run: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
    helpValue: 'N,…|all',
    summary: 'Show these runs instead of the last one; 0 is the first, -1 the last.',
  }),
  'no-prefix': Flags.boolean({ summary: 'Print lines without a prefix.' }),
  previous: Flags.boolean({
    char: 'p',
    exclusive: ['run', 'since', 'until'],
    summary: 'Show the run before the last one.',
  }),
  since: Flags.string({
    helpValue: 'TIME',
    summary: 'Show only runs and files that were written since this time.',
  }),
  until: Flags.string({
    helpValue: 'TIME',
    summary: 'Show only runs and files from before this time, and follow until it.',
  }),
  timestamps: Flags.boolean({
    char: 't',
    summary: 'Print when each line arrived, or - for one that was already there.',
  }),
  grep: patternFlag('Show only lines that match; with --lines, the last N of them.'),
  exclude: patternFlag('Leave out lines that match.'),
  highlight: patternFlag('Colour what matches, as --grep does.'),
  'ignore-case': Flags.boolean({
    char: 'i',
    summary: 'Let --grep, --exclude and --highlight ignore case.',
  }),
  raw: Flags.boolean({ summary: 'Let control characters pass to a terminal, even if lines have a prefix.' }),
  path: Flags.boolean({
    exclusive: [
      ...['follow', 'no-follow', 'lines', 'no-prefix', 'since', 'until', 'timestamps'],
      ...['grep', 'exclude', 'highlight', 'ignore-case', 'raw'],
    ],
    summary: 'Print the paths of the files, the oldest backup first, instead of their content.',
  }),
  ...AGENT_FLAGS,
};
