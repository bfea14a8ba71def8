import { expect, test } from 'vitest';
import { SOURCES, textsOf } from '../sources.js';

/** Names on disk that the layouts give, as a whole text. */
const NAME =
  /^(?:checkpoints|tasks|sandboxes|sandbox|runner|reasons|coordinator\..*|slaves|frameworks|executors|runs|latest|meta|\.logs|stdout|stderr)$/;
/** The same as a part of a path. */
const PART =
  /(?:^|\/)(?:checkpoints|tasks|sandboxes|sandbox|runner|coordinator|slaves|frameworks|executors|runs|latest|meta|\.logs|active|finished|stdout|stderr)\/|\/(?:checkpoints|tasks|sandboxes|sandbox|runner|slaves|frameworks|executors|runs|latest|meta|\.logs|active|finished|stdout|stderr)$/;
/** The name of a layout: who asks for it asks for what it has. */
const LAYOUT = /^(?:mesos|host)$/;

/** A text with blanks is a sentence for a person. */
function isPlace(text: string): boolean {
  return !/\s/.test(text) && [NAME, PART, LAYOUT].some((pattern) => pattern.test(text));
}

const WORD = 'a word for a person';
const STREAM = 'one of two streams, no path';
const HELP = 'help for a person';

/** By file: texts that look like a path but are not, and why. */
const EXCEPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'agent/master.ts': {
    '/slaves': 'part of an address',
    '/tasks': 'part of an address',
    '/master/slaves': 'part of an address',
    '/master/tasks': 'part of an address',
  },
  'app/gc.ts': { tasks: WORD },
  'app/kill.ts': { tasks: WORD },
  'app/report.ts': { tasks: WORD },
  'checkpoint/codec.ts': { sandbox: "a field of the stream's header" },
  'cli/base-command.ts': {
    'MESOS/slaves/*/frameworks/*/executors/*/runs/*/checkpoints': HELP,
    'ROOT/tasks/active/TASK_ID': HELP,
    'ROOT/checkpoints/TASK_ID/runner': HELP,
  },
  'cli/programs.ts': { 'coordinator.cjs': 'a file of the program' },
  'cli/run-view.ts': { stderr: STREAM },
  'cli/tail.ts': { stdout: STREAM, stderr: STREAM },
  'commands/doctor.ts': { 'MESOS/meta': HELP },
  'config/aurora.ts': { tasks: "a field of Aurora's jobs", mesos: "a namespace of Aurora's templates" },
  'config/evaluate.ts': { tasks: 'what a config exports' },
  'contracts/diff.ts': { runs: WORD },
  'discovery/roots.ts': { mesos: 'a name that people give to a directory beside the one they mean' },
  'doctor/check-agent.ts': { host: 'an attribute of Mesos agents' },
  'doctor/check-access.ts': { sandbox: WORD, sandboxes: WORD },
  'gc/policy.ts': { tasks: WORD },
  'lifecycle/runner-process.ts': { runner: 'what a process is' },
  'logs/inspection.ts': { stdout: STREAM, stderr: STREAM },
  'logs/output-to-read.ts': { stdout: STREAM, stderr: STREAM },
  'report/list/list-page.ts': { tasks: WORD },
  'report/page/log-view.ts': { stdout: STREAM, stderr: STREAM },
  'report/page/process-view.ts': { stdout: STREAM, stderr: STREAM },
  'report/page/script/search.ts': { '.logs': 'a class of elements' },
  'report/text.ts': { runs: WORD, stdout: STREAM, stderr: STREAM },
  'task/compare.ts': { runs: WORD },
  'report/viewer/browser/frames.ts': { sandbox: 'an attribute of a frame' },
  'report/viewer/client.ts': { '/slaves': 'part of an address' },
  'views/gc.ts': { tasks: WORD },
  'views/inspect.ts': { runs: WORD },
  'views/parts/gc-fold.ts': { reasons: WORD, tasks: WORD },
  'views/read.ts': { sandbox: "a field of the stream's header" },
  'views/status.ts': { tasks: WORD },
};

test.each(SOURCES.filter(({ path }) => !path.startsWith('layout/')))(
  '$path names no place on disk itself',
  ({ path, source }) => {
    const found = new Set(textsOf(source).filter(isPlace));
    expect([...found].sort()).toEqual(Object.keys(EXCEPTIONS[path] ?? {}).sort());
  },
);

test('every exception is one of a file that is there', () => {
  const paths = new Set(SOURCES.map(({ path }) => path));
  expect(Object.keys(EXCEPTIONS).filter((path) => !paths.has(path))).toEqual([]);
});

test.each([
  [`const path = \`\${root}/tasks/active/\${id}\`;`, ['/tasks/active/']],
  ["const path = join(root, 'checkpoints');", ['checkpoints']],
  ["if (root.layout === 'mesos') look();", ['mesos']],
  ["const name = 'coordinator.' + process;", ['coordinator.']],
  [`const path = \`\${sandbox}/.logs\`;`, ['/.logs']],
  ["const stream = directory + '/runner';", ['/runner']],
  ["const text = 'the task file is moved to tasks/finished';", []],
  ["type Layout = 'host' | 'mesos'; // tasks/active/", []],
  ["import { read } from '../runner/latest/meta.js';", []],
])('%s', (source, places) => {
  expect(textsOf(source).filter(isPlace)).toEqual(places);
});
