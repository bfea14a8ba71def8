import type { ProcessStatus } from '../../src/checkpoint/records.js';
import { parseTaskConfig, type TaskConfig } from '../../src/task/task-file.js';
import type { ProcessView, TaskView } from '../../src/task/view.js';
import { type Palette, PLAIN } from '../../src/views/parts/paint.js';
import type { Style } from '../../src/views/parts/style.js';

/** 2014-05-13T16:53:20Z. */
export const START = 1_400_000_000_000;

const CODES = {
  green: [32, 39],
  yellow: [33, 39],
  red: [31, 39],
  cyan: [36, 39],
  dim: [2, 22],
  bold: [1, 22],
};

const coloured = (name: keyof typeof CODES) => (text: string) =>
  `\u001b[${CODES[name][0]}m${text}\u001b[${CODES[name][1]}m`;

/** The colours of a terminal. */
export const COLOURED: Palette = {
  green: coloured('green'),
  yellow: coloured('yellow'),
  red: coloured('red'),
  cyan: coloured('cyan'),
  dim: coloured('dim'),
  bold: coloured('bold'),
  prefixes: [coloured('cyan')],
};

/** The text with names instead of its colours, as `<red>FAILED</red>`. */
export function namedColours(text: string): string {
  let named = text;
  for (const [name, [on, off]] of Object.entries(CODES)) {
    named = named.replaceAll(
      new RegExp(`\\u001b\\[${on}m(.*?)\\u001b\\[${off}m`, 'g'),
      `<${name}>$1</${name}>`,
    );
  }
  return named;
}

/** Two hours and a bit after START. */
export const PIPE: Style = {
  width: undefined,
  tty: false,
  colour: 0,
  unicode: true,
  now: START + 7_380_000,
  paint: PLAIN,
};
export const TTY: Style = { ...PIPE, width: 80, tty: true };

export function config(json: object): TaskConfig {
  return parseTaskConfig({ processes: [], ...json }) as TaskConfig;
}

export function processView(process: string, given: Partial<ProcessView> = {}): ProcessView {
  return { process, state: 'WAITING', runs: 0, failures: 0, ...given };
}

/** A process that ran once. */
export function ran(process: string, given: Partial<ProcessView> = {}): ProcessView {
  const start = START / 1000 + 1;
  const run = { pid: 12, coordinator_pid: 11, fork_time: start, start_time: start, stop_time: start + 0.25 };
  return processView(process, { state: 'SUCCESS', runs: 1, return_code: 0, ...run, ...given });
}

/** A task, active and well unless something else is given. */
export function taskView(given: Partial<TaskView> = {}): TaskView {
  const task_id = given.task_id ?? 'hello-1';
  const root = { path: '/var/run/thermos', layout: 'host' as const, source: 'test', readable: true };
  return {
    found: {
      task_id,
      root,
      phase: 'active',
      checkpoint_dir: `${root.path}/checkpoints/${task_id}`,
      problems: [],
    },
    task_id,
    root,
    layout: 'host',
    phase: 'active',
    state: 'ACTIVE',
    verdict: 'ok',
    state_timestamp_ms: START,
    launch_time_ms: START,
    name: 'hello',
    user: 'www-data',
    uid: 33,
    hostname: 'agent-1',
    owner: 'root',
    sandbox: { path: '/sandbox', recorded: '/sandbox', found: true },
    log_dir: { path: '/sandbox/.logs', recorded: '/sandbox/.logs', found: true },
    ports: { http: 8080 },
    runner: { pid: 77, uid: 0, alive: true },
    processes: [],
    problems: [],
    header: null,
    statuses: [{ state: 'ACTIVE', timestamp_ms: START, runner_pid: 77, runner_uid: 0 }],
    history: new Map(),
    leftovers: [],
    reasons: [],
    silent_since_ms: START + 7_375_000,
    removed: false,
    ...given,
  };
}

export function history(process: string, ...runs: ProcessStatus[]): TaskView['history'] {
  const failures = runs.filter(({ state }) => state === 'FAILED').length;
  return new Map([
    [process, { process, runs: runs.map((run) => ({ process, ...run })), run_count: runs.length, failures }],
  ]);
}

/** What must not reach a terminal: ESC, newline, a C1 control, a bidirectional override, a lone surrogate, no width. */
export const NASTY = 'x\u001b[2J\n\u009b1m\u202e\ud800\r\0\u200b\u3164\u{e0041}';

/** What is neither seen nor a newline or a space. */
export const CONTROL = /(?![ \n])[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\ufffc]/u;

/** Times that a stream may hold. */
export const ODD_SECONDS = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1e300,
  1e300,
  -1,
  0,
  9e15,
];
export const ODD_MILLISECONDS = [2n ** 63n - 1n, -(2n ** 63n), 0, -1, 8.64e15 + 1];
