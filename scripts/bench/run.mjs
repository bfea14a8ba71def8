// The cost of running: chains, many processes at once, a large ordering, rotated output, an idle runner.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote, sideBySide } from './measure.mjs';
import { milliseconds, ratioRow } from './table.mjs';

const TICKS_PER_SECOND = 100;
const MIB = 1 << 20;
const CHAIN_GOAL = 60;
const IDLE_SECONDS = 10;
const IDLE_GOAL_MS = 20;
/** 8 s after the last activity, V8 collects garbage once, for 20 ms: that still belongs to the start. */
const SETTLED_MS = 10_000;
/** How much slower than a plain copy rotation may be. */
const ROTATION_GOAL = 1.5;

/** `context` as in `statusRows`. Returns rows for the table. */
export async function runRows(context) {
  mkdirSync(join(context.dir, 'run'));
  return [...chains(context), ...rotation(context), ...(await idle(context))];
}

function chains(context) {
  const { quick, say } = context;
  say('chains and many processes');
  const names = (count) => Array.from({ length: count }, (_, i) => `p${i}`);
  const each = (count, task) => ({ processes: names(count).map((name) => trueProcess(name)), ...task });
  const tree = names(500).flatMap((name, i) => (i === 0 ? [] : [{ order: [`p${(i - 1) >> 2}`, name] }]));
  const runs = (count) => Math.ceil((quick ? 3 : 9) / Math.ceil(count / 50));
  const row = (what, task, count, goal) => {
    const run = runLine(context, what.replaceAll(/\W+/g, '-'), task);
    const reference = `for i in $(seq ${count}); do bash -c true; done`;
    const measured = sideBySide([run, reference], runs(count), context.env);
    if (goal !== undefined) return ratioRow(what, `${count} x bash -c true`, measured, goal);
    const { goal: _, ok: __, ...open } = ratioRow(what, `${count} x bash -c true`, measured, Infinity);
    return open;
  };
  return [
    row('run: a chain of 1', each(1, {}), 1),
    row('run: a chain of 20', each(20, { constraints: [{ order: names(20) }] }), 20, CHAIN_GOAL),
    row('run: 100 at once', each(100, {}), 100),
    row('run: 500 in a tree, 20 at once', each(500, { constraints: tree, max_concurrency: 20 }), 500),
  ];
}

function rotation(context) {
  const size = context.quick ? 256 * MIB : 1024 * MIB;
  context.say(`${size / MIB} MiB of output`);
  const source = `yes 2026-11-21 12:00:00,000 INFO worker request took some ms | head -c ${size}`;
  const logger = { destination: 'file', mode: 'rotate', rotate: { log_size: 100 * MIB, backups: 1 } };
  const run = runLine(context, 'loud', { processes: [{ ...trueProcess('loud'), cmdline: source, logger }] });
  const file = quote(join(context.dir, 'run', 'copy'));
  const copy = `${source} | cat > ${file}`;
  // Rotation does more than copying: it removes old files.
  const byHand = `${source} | while head -c ${logger.rotate.log_size} > ${file}; [ -s ${file} ]; do mv ${file} ${file}.1; done`;
  const [ours, cat, hand] = sideBySide([run, copy, byHand], context.quick ? 1 : 3, context.env);
  const what = `run: ${size / MIB} MiB rotated`;
  const { goal: _, ok: __, ...open } = ratioRow('', 'by head and mv', [ours, hand], Infinity);
  return [
    ratioRow(what, 'into a file by cat', [ours, cat], ROTATION_GOAL),
    { ...open, what: '  beside a rotation by hand' },
  ];
}

/** A runner and a coordinator while their one process sleeps. */
async function idle({ dir, programArgs, env, quick, say }) {
  const seconds = quick ? 3 : IDLE_SECONDS;
  say(`an idle runner, ${seconds} s`);
  const root = join(dir, 'run', 'idle');
  const config = join(dir, 'run', 'idle.json');
  writeFileSync(
    config,
    JSON.stringify({ name: 'idle', processes: [{ name: 'idle', cmdline: 'exec sleep 1000' }] }),
  );
  const thermos = (...args) => {
    const [program, ...first] = programArgs;
    const { status, stdout, stderr } = spawnSync(program, [...first, ...args, '--root', root], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${args.join(' ')} exited with ${status}\n${stderr}`);
    return stdout;
  };
  thermos('run', '--daemon', '--task-id', 'idle', config);
  try {
    thermos('wait', 'idle', '--for', 'process=idle:RUNNING', '--timeout', '60s');
    const { runner, processes } = JSON.parse(thermos('inspect', '--json', 'idle'));
    const coordinator = processes[0].coordinator_pid;
    await new Promise((resolve) => setTimeout(resolve, quick ? 2000 : SETTLED_MS));
    const before = [runner.pid, coordinator].map(cpuOf);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const [ofRunner, ofCoordinator] = [runner.pid, coordinator].map((pid, i) => cpuOf(pid) - before[i]);
    return [
      {
        what: `run: CPU of an idle runner in ${seconds} s`,
        measured: milliseconds(ofRunner),
        reference: `its coordinator: ${milliseconds(ofCoordinator)}`,
        goal: `<= ${IDLE_GOAL_MS} ms`,
        ok: ofRunner <= IDLE_GOAL_MS,
      },
      {
        what: 'run: private memory of a runner',
        measured: `${privateMemory(runner.pid)} MB`,
        reference: `its coordinator: ${privateMemory(coordinator)} MB`,
      },
    ];
  } finally {
    thermos('kill', '--now', 'idle');
  }
}

/** The line that runs the task as a new one, to its end. After `runRows`. */
export function runLine({ dir, program }, name, task) {
  const config = join(dir, 'run', `${name}.json`);
  writeFileSync(config, JSON.stringify({ name, ...task }));
  return `${program} run --json --root ${quote(join(dir, 'run', name))} ${quote(config)}`;
}

export function trueProcess(name) {
  return { name, cmdline: 'true', min_duration: 0 };
}

/** User and system time so far, milliseconds. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Megabytes that are not shared with other processes. */
function privateMemory(pid) {
  const sums = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...sums.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, size]) =>
    Number(size),
  );
  return Math.round(kilobytes.reduce((sum, size) => sum + size, 0) / 100) / 10;
}
