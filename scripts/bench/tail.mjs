// Reading logs: from the end, whole, and as they grow.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeLog, makeLogged } from './data.mjs';
import { median, quote, sideBySide } from './measure.mjs';
import { milliseconds, ratioRow } from './table.mjs';

const LATENCY_GOAL_MS = 50;

/** As statusRows. */
export async function tailRows(context) {
  return [...size(context), await latency(context)];
}

function size({ dir, program, env, quick, say }) {
  say('a log of 1 GiB');
  const small = makeLogged(join(dir, 'small-log'), { running: false });
  const large = makeLogged(join(dir, 'large-log'), { running: false });
  makeLog(small.log, 1024);
  makeLog(large.log, 1 << 30);
  const tail = ({ root, taskId }, lines) =>
    `${program} tail --root ${quote(root)} --stdout --no-follow --lines ${lines} ${taskId} proc`;
  const last = sideBySide([tail(large, 10), tail(small, 10)], quick ? 11 : 21, env);
  const all = sideBySide([tail(large, 'all'), `cat ${quote(large.log)}`], quick ? 3 : 7, env);
  rmSync(join(dir, 'large-log'), { recursive: true });
  return [
    ratioRow('tail -n 10 of 1 GiB', 'of 1 KiB', last, 1.2),
    ratioRow('tail -n all of 1 GiB', 'cat', all, 3),
  ];
}

/** From the write of a line to its being printed. The runner that lives is whoever holds the stream's lock. */
async function latency({ dir, programArgs, env, quick, say }) {
  say('a log that grows');
  const { root, taskId, runner, log } = makeLogged(join(dir, 'growing-log'), { running: true });
  writeFileSync(log, '');
  const children = [];
  try {
    const holder = spawn('flock', ['-x', '-F', runner, 'sh', '-c', 'echo locked; exec sleep 3600'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(holder);
    await once(holder.stdout, 'data');
    const [command, ...args] = [
      ...programArgs,
      'tail',
      '--root',
      root,
      '--stdout',
      '--follow',
      taskId,
      'proc',
    ];
    const tail = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(tail);
    const taken = [];
    for (let line = 0; line < (quick ? 20 : 60); line++) {
      // Not in step with anything that polls.
      await sleep(10 + ((line * 37) % 90));
      const printed = once(tail.stdout, 'data');
      const before = performance.now();
      appendFileSync(log, `line ${line}\n`);
      await printed;
      // The first line may have been there before the program looked.
      if (line > 0) taken.push(performance.now() - before);
    }
    const middle = median(taken);
    return {
      what: 'a line in a followed log is printed after',
      measured: milliseconds(middle),
      reference: 'the original: 500 ms (polls)',
      goal: `<= ${LATENCY_GOAL_MS} ms`,
      ok: middle <= LATENCY_GOAL_MS,
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}
