import * as Flags from '@oclif/core/flags';
import { REPORT_DIRECTORY } from '../layout/report-paths.js';
import { AGENT_FLAGS } from './agent-flags.js';
import { EXACT_FLAG } from './exact-flag.js';
import { DEFAULT_LOG_BYTES } from './report.js';

/** The flags of `report`. */
export const REPORT_FLAGS = {
  out: Flags.string({
    default: REPORT_DIRECTORY,
    helpValue: 'DIR',
    summary: 'The directory to write to, made if it is missing.',
  }),
  watch: Flags.boolean({
    char: 'w',
    summary: 'Write pages again when their tasks change, at most once a second, until Ctrl-C.',
  }),
  'log-bytes': Flags.string({
    default: DEFAULT_LOG_BYTES,
    helpValue: 'SIZE',
    summary: 'The most that a page has of the logs of its task, such as 64K or 2M; 0 for none.',
  }),
  trace: Flags.boolean({
    summary: 'Also write trace.json, the runs of the task as Perfetto and chrome://tracing show them.',
  }),
  usage: Flags.string({
    helpValue: 'FILE',
    summary: 'A file that top --record wrote: pages then show what the task and its processes used.',
  }),
  viewer: Flags.boolean({
    exclusive: [
      ...['json', 'out', 'watch', 'log-bytes', 'trace', 'usage', 'agent-url', 'master-url', 'exact'],
      ...['root', 'mesos-root', ...Object.keys(AGENT_FLAGS)],
    ],
    summary: 'Print a page that shows the tasks of Mesos agents: it reads them from your browser.',
  }),
  'agent-url': Flags.string({
    helpValue: 'URL',
    summary:
      'The Mesos agent of this host: each log gets a link to its download. [default: as the agent recorded it]',
  }),
  'master-url': Flags.string({
    helpValue: 'URL',
    summary: 'The Mesos master: each page gets a link to the sandbox.',
  }),
  ...EXACT_FLAG,
  ...AGENT_FLAGS,
};
