// Status of many agents over HTTP, beside Node's client of HTTP that makes the same calls and throws the answers away.

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuOf, peakMemory, quote, sideBySide, timeOnce } from './measure.mjs';
import { milliseconds, ratioRow } from './table.mjs';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const SERVER = fileURLToPath(new URL('agents-server.mjs', import.meta.url));
const BARE = fileURLToPath(new URL('bare-http.mjs', import.meta.url));
const TASKS = 30;
const STATUS_GOAL = { cpu: 2 };
const CALL_GOAL_US = 100;
const MEMORY_GOAL = 300e6;
const AGAIN_GOAL = 0.1;
const WATCH_GOAL = 0.15;
const INTERVAL_S = 5;
/** One task of so many changes between two looks. */
const CHANGED = 100;
/** Without a call for so long, a look is over. */
const QUIET_MS = 1500;

/** `context` as in `statusRows`. Returns rows for the table. */
export async function agentRows(context) {
  const { quick } = context;
  return withAgents(context, quick ? 100 : 1000, async (...agents) => [
    ...(await status(...agents)),
    ...(await watched(...agents)),
  ]);
}

/** Uses a server of so many agents: its port, and the words that name the agents. */
async function withAgents(context, count, use) {
  context.say(`${count} agents with ${TASKS} tasks each`);
  const server = spawn(process.execPath, [SERVER, String(count), String(TASKS), FIXTURES], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const port = await new Promise((resolve, reject) => {
      server.once('error', reject);
      server.stdout.once('data', (text) => resolve(Number(text)));
    });
    const words = Array.from({ length: count }, (_, i) => ['--agent', `http://127.0.0.1:${port}/agent/${i}`]);
    return await use(context, { count, port, words: words.flat() });
  } finally {
    server.kill();
  }
}

/** What was asked since the last time. */
async function callsOf(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/calls`);
  return /** @type {{ calls: string[][] }} */ (await answer.json()).calls;
}

/** How often it was asked since the last time. */
async function countOf(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/count`);
  return /** @type {{ count: number }} */ (await answer.json()).count;
}

async function status({ dir, program, node, env }, { count, port, words }) {
  const line = `${program} status --json ${words.join(' ')}`;
  await countOf(port);
  timeOnce(line, env);
  const calls = await callsOf(port);
  const file = join(dir, 'calls.json');
  writeFileSync(file, JSON.stringify(calls));
  const bare = `${node} ${quote(BARE)} ${port} ${quote(file)}`;
  const [measured, reference] = sideBySide([line, bare], 3, env);
  const us = ({ cpu }) => (cpu * 1000) / calls.length;
  return [
    ratioRow(
      `status --json, ${count} agents, ${count * TASKS} tasks`,
      'node:http',
      [measured, reference],
      STATUS_GOAL,
    ),
    {
      what: '  CPU a call',
      measured: `${us(measured).toFixed(0)} us of ${calls.length}`,
      reference: `node:http: ${us(reference).toFixed(0)} us`,
      ratio: (us(measured) / us(reference)).toFixed(2),
      goal: `<= ${CALL_GOAL_US} us`,
      ok: us(measured) <= CALL_GOAL_US,
    },
  ];
}

async function watched({ programArgs, env, quick, say }, { count, port, words }) {
  const [command, ...args] = programArgs;
  say('their memory');
  const peak = await peakMemory(command, [...args, 'status', '--json', ...words], env);
  say('looks at them again');
  await countOf(port);
  const interval = ['--watch', '--interval', `${INTERVAL_S}s`];
  const watch = spawn(command, [...args, 'status', ...interval, ...words], { env, stdio: 'ignore' });
  try {
    const first = await lookOver(watch.pid, port);
    await fetch(`http://127.0.0.1:${port}/grow?part=${CHANGED}`);
    const second = await lookOver(watch.pid, port);
    const share = await shareOf(watch.pid, quick ? 15 : 60);
    return [
      {
        what: `status --json, ${count} agents, ${count * TASKS} tasks: peak memory`,
        measured: `${Math.round(peak / 1e6)} MB`,
        goal: `< ${MEMORY_GOAL / 1e6} MB`,
        ok: peak < MEMORY_GOAL,
      },
      {
        what: '  CPU of a second look, one active task of 100 changed',
        measured: milliseconds(second),
        reference: `the first: ${milliseconds(first)}`,
        ratio: (second / first).toFixed(2),
        goal: `<= ${AGAIN_GOAL}`,
        ok: second <= AGAIN_GOAL * first,
      },
      {
        what: `  --watch --interval ${INTERVAL_S}s: share of a core`,
        measured: `${(share * 100).toFixed(1)} %`,
        goal: `<= ${WATCH_GOAL * 100} %`,
        ok: share <= WATCH_GOAL,
      },
    ];
  } finally {
    watch.kill();
  }
}

/** The CPU of the next look, in milliseconds. */
async function lookOver(pid, port) {
  const before = cpuOf(pid);
  let cpu = before;
  for (let quiet = 0, seen = 0; seen === 0 || quiet < QUIET_MS; quiet += 100) {
    await sleep(100);
    const count = await countOf(port);
    seen += count;
    if (count > 0) quiet = 0;
    cpu = cpuOf(pid);
  }
  return cpu - before;
}

async function shareOf(pid, seconds) {
  const before = cpuOf(pid);
  await sleep(seconds * 1000);
  return (cpuOf(pid) - before) / (seconds * 1000);
}
