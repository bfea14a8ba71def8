import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GcDocument } from '../../src/contracts/gc.js';
import { bytesOf } from '../../src/store/walk.js';
import { GRAPH_FORMATS, graphOfTask } from '../../src/task/graph.js';
import { taskSummary } from '../../src/views/completion.js';
import { configText } from '../../src/views/config.js';
import { cpText } from '../../src/views/cp.js';
import { diffText } from '../../src/views/diff.js';
import { doctorText } from '../../src/views/doctor.js';
import { EventLines } from '../../src/views/events.js';
import { gcText } from '../../src/views/gc.js';
import { graphText } from '../../src/views/graph.js';
import { initText } from '../../src/views/init.js';
import * as inspectViews from '../../src/views/inspect.js';
import { killListText, killText } from '../../src/views/kill.js';
import { lsText } from '../../src/views/ls.js';
import { Metrics } from '../../src/views/metrics.js';
import type { Style } from '../../src/views/parts/style.js';
import * as readViews from '../../src/views/read.js';
import { reportSummary } from '../../src/views/report.js';
import { restartText } from '../../src/views/restart.js';
import { rootsView } from '../../src/views/roots.js';
import { progressLines, summaryText } from '../../src/views/run.js';
import { signalText } from '../../src/views/signal.js';
import { idLine, StatusPage } from '../../src/views/status.js';
import { alignedPrefixes, linePrefix, pathsText } from '../../src/views/tail.js';
import { topRows, topText } from '../../src/views/top.js';
import { hostHead, runRows, runsTable, taskHead } from '../../src/views/ui.js';
import { versionText } from '../../src/views/version.js';
import { waitText } from '../../src/views/wait.js';
import { REPOSITORY } from '../e2e/harness.js';
import { CONTROL, config, history, PIPE, processView, ran, TTY, taskView } from './task-views.js';
import { sampled } from './top-samples.js';

/** A task in which everything that is text is this text. */
function view(name: string) {
  const place = { path: name, recorded: `${name}!`, found: false };
  return taskView({
    task_id: name,
    name: `${name}n`,
    user: name,
    owner: name,
    hostname: name,
    ports: { [name]: 1 },
    sandbox: place,
    log_dir: place,
    root: { path: name, layout: 'mesos', source: name, readable: true },
    mesos: { agent_id: name, framework_id: name, executor_id: name, container_id: name },
    processes: [ran(name), processView(`${name}2`), ran(`${name}3`, { state: 'FAILED', return_code: 1 })],
    history: history(name, { state: 'FAILED' }, { state: 'WAITING' }),
    config: config(task(name)),
  });
}

function task(name: string) {
  // The lines of a command are lines of the view.
  const lines = name.replaceAll('\n', '');
  return {
    name,
    user: name,
    processes: [
      { name, cmdline: lines, logger: { destination: name } },
      { name: `${name}2`, cmdline: `a\n${lines}` },
      { name: `${name}3` },
    ],
    constraints: [{ order: [name, `${name}2`] }, { order: [`${name}3`, `${name}2`] }],
  };
}

function gcDocument(name: string): GcDocument {
  const action = { kind: 'logs' as const, path: name, bytes: 1, result: 'refused' as const, why: name };
  const orphan = { was: name, becomes: name, result: 'done' as const, killed: [], why: name };
  const one = { task_id: name, root: name, layout: 'host' as const, state: name, reason: name };
  const send = { state: name, message: name };
  return {
    dry_run: false,
    tasks: [
      { ...one, actions: [action] },
      { ...one, actions: [], orphan },
    ],
    freed_bytes: 1,
    reconcile: [{ task_id: name, local: 'active', expected: name, action: 'kill', send }],
    problems: [],
  };
}

const HEADER = (name: string) => ({
  task_id: name,
  hostname: name,
  user: name,
  sandbox: name,
  log_dir: name,
  ports: { [name]: 1 },
});

/** Every view that is printed as it is, with the text wherever it can stand. */
const VIEWS: Record<string, (name: string, style: Style) => string | readonly string[]> = {
  configText: (name, style) => {
    const problem = { code: 'usage', message: name, severity: 'error' } as const;
    const settings = [{ process: name, name, value: name, default: [name] }, { name }];
    const page = {
      path: name,
      taskId: name,
      user: name,
      root: name,
      sandbox: name,
      lint: [problem],
      settings,
    };
    const ports = { ports: new Map([[name, 1]]), unboundPorts: [name] };
    return [{ [name]: name }, task(name), { ...task(name), processes: [] }].map((document) =>
      configText({ ...page, ...ports, document }, style),
    );
  },
  taskSummary: (name) => taskSummary(view(name), PIPE.now),
  cpText: (name) => cpText([{ path: name, to: name, files: 1, bytes: 1 }]),
  restartText: (name, style) => {
    const was = { run: 0, pid: 1 };
    const given = { task_id: name, root: name, process: name, was, signalled: [], problems: [] };
    return [
      restartText({ ...given, ended: 'killed' }, style),
      restartText({ ...given, ended: 'terminated', now: { run: 1, state: 'RUNNING', pid: 2 } }, style),
    ];
  },
  signalText: (name) => {
    const given = { task_id: name, root: name, process: name, run: 0, signal: 'SIGHUP', number: 1, pid: 1 };
    return signalText({ ...given, signalled: [1, 2], problems: [] });
  },
  lsText: (name, style) => {
    const about = { names: [], type: 'link' as const, bytes: 1, mtime_ms: 1, mode: 0o777, owner: name };
    return lsText([{ name, entry: { ...about, target: bytesOf(name) } }], style);
  },
  doctorText: (name, style) => {
    const evidence = [
      { path: name, text: name, task_id: 'x' },
      { text: name, task_id: name },
    ];
    const kind = { code: 'leftovers', severity: 'error' } as const;
    const finding = { ...kind, what: name, evidence, advice: [name] };
    const document = { checked: { roots: 1, tasks: 1, agents: 0 }, problems: [] };
    const findings = [{ ...finding, task_ids: [name] }];
    const { state, verdict, phase } = view(name);
    const ofTask = { task_id: name, root: name, layout: 'host' as const, phase, state, verdict };
    return [
      doctorText({ ...document, findings }, style),
      doctorText(
        { ...document, findings, task: ofTask, story: [{ what: name, process: name, run: 0 }] },
        style,
      ),
    ];
  },
  diffText: (name, style) => {
    const a = { view: view(name), config: config(task(name)) };
    const [process, field, lines] = [name, name, name.replaceAll('\n', '')];
    const changes = [
      // Of one line, they stand beside each other if there is room.
      { field, change: 'changed' as const, a: `1\n${lines}`, b: `2\n${lines}2` },
      { process, field, change: 'added' as const, b: `1\n${lines}` },
      { process, change: 'removed' as const },
    ];
    const outcome = [{ process, field: 'state' as const, a: 'SUCCESS' as const, b: 'FAILED' as const }];
    const durations = [{ process, a: 1, b: 2 }];
    return [
      diffText({ a, b: a, comparison: { config: changes, outcome, durations } }, style),
      diffText({ a: { path: name }, b: { path: name }, comparison: { config: [] } }, style),
    ];
  },
  graphText: (name, style) =>
    GRAPH_FORMATS.map((format) => graphText(graphOfTask(view(name)), format, style)),
  Metrics: (name) => {
    const metrics = new Metrics({ perTask: true });
    metrics.add(view(name));
    return metrics.text({ version: name, roots: 1, problems: [], durationMs: 1 });
  },
  initText,
  EventLines: (name, style) => {
    const lines = new EventLines(style);
    const task = { task_id: name, root: view(name).root, time_ms: 0 };
    const run = { ...task, process: name, run: 0 };
    return [
      lines.text({ ...task, state: 'ACTIVE' }),
      lines.text({ ...run, state: 'RUNNING', pid: 1 }),
      lines.text({ ...run, state: 'FAILED', return_code: 137 }),
    ];
  },
  reportSummary: (name) => reportSummary({ pages: [{ path: name, bytes: 1 }], index: name }),
  gcText: (name, style) => {
    const document = gcDocument(name);
    const { tasks, ...rest } = document;
    const path = { kind: 'data' as const, path: name, bytes: 1, result: 'would-delete' as const };
    const rules = ['', '2', '3'].map((end) => ({ ...tasks[0], rule: `${name}${end}`, actions: [path] }));
    const plan = { ...rest, dry_run: true, tasks: [...tasks, ...rules] as GcDocument['tasks'] };
    return [gcText(document, style), gcText(plan, style), gcText(plan, { ...style, height: 24 })];
  },
  inspectText: (name, style) =>
    inspectViews.inspectText(
      {
        view: view(name),
        logs: [{ process: name, run: 0, stream: 'stdout', path: name, bytes: 1 }],
        why: [name],
      },
      style,
    ),
  killListText: (name, style) => killListText([view(name)], style),
  killText: (name, style) =>
    killText([{ task_id: name, was: 'ACTIVE', now: 'KILLED', already: false }], style),
  readText: (name, style) => {
    const { statuses } = view(name);
    const processes = history(name, { state: 'FAILED' });
    return readViews.readText({ header: HEADER(name), statuses, processes }, 1, 1, style);
  },
  recordLine: (name) => [
    readViews.recordLine({ type: 'runner_header', value: HEADER(name) }, 0, 1),
    readViews.recordLine({ type: 'process_status', value: { process: name } }, 0, 1),
  ],
  rootsView: (name, style) => {
    const root = { path: name, layout: 'host' as const, source: name, tasks: 1, readable: false };
    return rootsView({ roots: [root], problems: [] }, style);
  },
  versionText: (name) => versionText({ version: '1', node: 'v24', form: 'file', place: name, commit: name }),
  progressLines: (name, style) => progressLines(view(name), style, 24),
  summaryText: (name, style) =>
    summaryText({ view: view(name), why: [name], reason: name, look: undefined }, style),
  StatusPage: (name, style) =>
    ([0, 1, 2, 3] as const).flatMap((verbosity) =>
      [{}, { wide: true }, { uncut: true }].map((options) => {
        const page = new StatusPage({ verbosity, ...options }, style);
        return page.text([page.add(view(name))]);
      }),
    ),
  idLine: (name) => idLine(view(name)),
  linePrefix: (name, style) =>
    linePrefix(
      { task_id: name, root: name, process: name, run: 0, stream: 'stdout' },
      { root: new Set([name]), task: true, stream: true },
      0,
      style,
    ),
  alignedPrefixes: (name, style) =>
    [name, `${name}2`].flatMap((root) =>
      alignedPrefixes(
        [name, root].map((each) => ({
          source: { task_id: name, root: each, process: name, run: 0, stream: 'stdout' as const },
          naming: { root: new Set([name]), task: true, stream: true },
          colour: 0,
          recorded: { user: name, name },
        })),
        style,
      ),
    ),
  pathsText: (name) =>
    pathsText([{ task_id: name, process: name, run: 0, stream: 'stdout', path: name, bytes: 1 }]),
  topText: (name, style) =>
    [false, true].map((processes) => {
      const sample = sampled({ view: view(name), processes: [{ process: name, run: 0 }] });
      const rows = topRows(sample, processes, { by: 'task', reverse: false });
      return topText(rows, sample, { processes, pss: true }, style);
    }),
  hostHead: (name, style) => hostHead(name, ['1 task'], style).map((line) => `${line}\n`),
  taskHead: (name, style) => taskHead(view(name), [name, name, name], style).map((line) => `${line}\n`),
  runsTable: (name, style) => {
    const { titles, body } = runsTable(runRows(view(name), 'process', false), view(name), style);
    return [`${[titles, ...body].join('\n')}\n`];
  },
  whyPage: (name, style) => [inspectViews.whyPage({ view: view(name), logs: [], why: [name] }, style)],
  waitText: (name, style) => {
    const conditions = [{ process: name, state: 'SUCCESS' as const }];
    return [
      waitText(view(name), [], undefined, style),
      waitText(view(name), [], name, style),
      waitText(view(name), conditions, undefined, style),
    ];
  },
};

/** Parts of the views above, and lines that who prints them escapes. */
const PARTS = [
  'RUN_ORDERS',
  'runRows',
  'commandsText',
  'eventText',
  'headerLines',
  'leftOutLine',
  'limitsText',
  'lineText',
  'nothingToCollect',
  'orderingText',
  'processSummary',
  'resourcesText',
  'runChangeText',
  'runTable',
  'stampText',
  'statusTable',
  'taskChangeText',
  'topRows',
  'topSummary',
  'topTable',
  'modeText',
];

test('no view is missing here', async () => {
  const folder = join(REPOSITORY, 'src', 'views');
  const exported: string[] = [];
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    exported.push(...Object.keys((await import(join(folder, file))) as object));
  }
  expect(exported.sort()).toEqual([...Object.keys(VIEWS), ...PARTS].sort());
});

const name = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', ' ', '/', '\n', '\u001b', '\u009b', '\u200b', '\u202e', '\ufeff', '\u3164'),
    fc.constantFrom(
      '\u2800',
      '\u{e0041}',
      '\u2e80',
      '\u{11000}',
      '\ud800',
      '\u00a0',
      '\u0301',
      '$&',
      '%',
      '__proto__',
    ),
    fc.integer({ min: 0, max: 0x10ffff }).map((point) => String.fromCodePoint(point)),
  ),
  maxLength: 8,
});

describe.each(Object.keys(VIEWS))('%s', (which) => {
  test.each([
    ['on a pipe', PIPE],
    ['on a terminal', { ...TTY, width: 2000 }],
    ['on a narrow one', { ...TTY, width: 20 }],
  ])('%s shows no invisible characters, and no line breaks in names', (_, style) => {
    const draw = VIEWS[which] as (typeof VIEWS)[string];
    const drawn = (text: string) => [draw(text, style)].flat();
    const lines = drawn('x').map((text) => text.split('\n').length);
    fc.assert(
      fc.property(name, (text) => {
        for (const [i, shown] of drawn(`x${text}`).entries()) {
          expect(shown).not.toMatch(CONTROL);
          // Where columns are narrow, there are lines more: they go on.
          if (style.width !== 20) expect(shown.split('\n').length).toBe(lines[i]);
        }
      }),
      { numRuns: 30 },
    );
  });
});
