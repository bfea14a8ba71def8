// The cost of running: chains, many processes at once, a large ordering, rotated output, idle runners.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuOf, isHere, quote, sideBySide } from './measure.mjs';
import { milliseconds, ratioRow, unmeasuredRow } from './table.mjs';

const MIB = 1 << 20;
const CHAIN_GOAL = { cpu: 12, wall: 12 };
const AT_ONCE_GOAL = { wall: 1.5 };
const IDLE_SECONDS = 10;
const IDLE_GOAL_MS = 10;
/** 8 s after the last activity, V8 collects garbage once, for 20 ms: that still belongs to the start. */
const SETTLED_MS = 10_000;
/** How much slower than a plain copy rotation may be. */
const ROTATION_GOAL = { wall: 1.5 };
const RUNNING = 500;
const MEMORY_GOAL_MIB = 60;
/** Processes start in seconds, but the machine may be busy. */
const MOST_START_MS = 120_000;

/** `context` as in `statusRows`. Returns rows for the table. */
export async function runRows(context) {
  mkdirSync(join(context.dir, 'run'));
  return [...chains(context), ...rotation(context), ...(await idle(context)), await memory(context)];
}

function names(count) {
  return Array.from({ length: count }, (_, i) => `p${i}`);
}

function independent(count) {
  return { processes: names(count).map(trueProcess) };
}

function chains(context) {
  const { dir, env, quick, say } = context;
  say('chains and many processes');
  const chain = { ...independent(20), constraints: [{ order: names(20) }] };
  const tree = names(500).flatMap((name, i) => (i === 0 ? [] : [{ order: [`p${(i - 1) >> 2}`, name] }]));
  const runs = (count) => Math.ceil((quick ? 3 : 9) / Math.ceil(count / 50));
  const beside = (what, task, count, reference, line, goals) =>
    ratioRow(
      what,
      reference,
      sideBySide([runLine(context, what.replaceAll(/\W+/g, '-'), task), line], runs(count), env),
      goals,
    );
  const shells = (count) => `for i in $(seq ${count}); do bash -c true; done`;
  const make = (task, words, count) => {
    const file = join(dir, 'run', `${words.replaceAll(/\W+/g, '')}-${count}.mk`);
    const rules = names(count).map(
      (name, i) => `${name}:${task === chain && i > 0 ? ` p${i - 1}` : ''}\n\t@true\n`,
    );
    writeFileSync(
      file,
      `.PHONY: all ${names(count).join(' ')}\nall: ${names(count).join(' ')}\n${rules.join('')}`,
    );
    return `make -s -f ${quote(file)} ${words}`;
  };
  const hasMake = isHere('make', env);
  const hasParallel = isHere('parallel', env) && isGnuParallel(env);
  const noMake = 'there is no make here';
  return [
    beside('run: a chain of 1', independent(1), 1, '1 x bash -c true', shells(1)),
    hasMake
      ? beside('run: a chain of 20', chain, 20, 'make', make(chain, '-j', 20), CHAIN_GOAL)
      : unmeasuredRow('run: a chain of 20', noMake, `cpu <= ${CHAIN_GOAL.cpu}, wall <= ${CHAIN_GOAL.wall}`),
    beside('  beside bare shells', chain, 20, '20 x bash -c true', shells(20)),
    hasParallel
      ? beside(
          'run: 100 at once',
          independent(100),
          100,
          'GNU parallel',
          "seq 100 | parallel -j 100 'true' {}",
          AT_ONCE_GOAL,
        )
      : unmeasuredRow('run: 100 at once', 'there is no GNU parallel here', `wall <= ${AT_ONCE_GOAL.wall}`),
    hasMake
      ? beside('  beside make', independent(100), 100, 'make -j 100', make(undefined, '-j 100', 100))
      : unmeasuredRow('  beside make', noMake),
    beside(
      'run: 500 in a tree, 20 at once',
      { ...independent(500), constraints: tree, max_concurrency: 20 },
      500,
      '500 x bash -c true',
      shells(500),
    ),
  ];
}

/** moreutils has a program of the same name. */
function isGnuParallel(env) {
  const { stdout } = spawnSync('parallel', ['--version'], { env, encoding: 'utf8' });
  return stdout?.startsWith('GNU parallel') ?? false;
}

/** What the coordinators of many running processes take: shared pages by halves, and their page tables. */
async function memory({ dir, programArgs, env, quick, say }) {
  const count = quick ? 100 : RUNNING;
  const what = `run: memory of the coordinators of ${count} processes`;
  say(`${count} running processes`);
  const root = join(dir, 'run', 'memory');
  const config = join(dir, 'run', 'memory.json');
  const processes = names(count).map((name) => ({ name, cmdline: 'exec sleep 1000' }));
  writeFileSync(config, JSON.stringify({ name: 'memory', processes }));
  const thermos = caller(programArgs, root, env);
  thermos('run', '--daemon', '--task-id', 'memory', config);
  try {
    const running = () =>
      JSON.parse(thermos('inspect', '--json', 'memory')).processes.filter(({ state }) => state === 'RUNNING');
    const end = Date.now() + MOST_START_MS;
    while (running().length < count) {
      if (Date.now() > end) return unmeasuredRow(what, `${running().length} have started`, memoryGoal(count));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const kilobytes = running().reduce((sum, process) => sum + memoryOf(process.coordinator_pid), 0);
    const mib = kilobytes / 1024;
    return {
      what,
      measured: `${mib.toFixed(1)} MiB`,
      reference: `${(mib / count).toFixed(2)} MiB each, PSS and page tables`,
      goal: memoryGoal(count),
      ok: mib <= (MEMORY_GOAL_MIB * count) / RUNNING,
    };
  } finally {
    thermos('kill', '--now', 'memory');
  }
}

function memoryGoal(count) {
  return `<= ${(MEMORY_GOAL_MIB * count) / RUNNING} MiB`;
}

/** Kilobytes of a process: its share of the pages that it has in memory, and its page tables. */
function memoryOf(pid) {
  const [, share] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  const [, tables] = /^VmPTE:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(share) + Number(tables);
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
  return [
    ratioRow(what, 'into a file by cat', [ours, cat], ROTATION_GOAL),
    ratioRow('  beside a rotation by hand', 'by head and mv', [ours, hand]),
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
  const thermos = caller(programArgs, root, env);
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
        goal: `<= ${IDLE_GOAL_MS} ms, 0 ms`,
        ok: ofRunner <= IDLE_GOAL_MS && ofCoordinator === 0,
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

/** Calls thermos with the root; returns what it prints. */
function caller([program, ...first], root, env) {
  return (...args) => {
    const words = [...first, ...args, '--root', root];
    const { status, stdout, stderr } = spawnSync(program, words, {
      env,
      encoding: 'utf8',
      maxBuffer: 64 * MIB,
    });
    if (status !== 0) throw new Error(`${args.join(' ')} exited with ${status}\n${stderr}`);
    return stdout;
  };
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

/** Megabytes that are not shared with other processes. */
function privateMemory(pid) {
  const sums = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...sums.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, size]) =>
    Number(size),
  );
  return Math.round(kilobytes.reduce((sum, size) => sum + size, 0) / 100) / 10;
}
