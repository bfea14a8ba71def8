// Measures whole processes. bash's `time` gives wall clock and the CPU of a command line with all its children,
// to the millisecond, and is available wherever the tests run.

import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Times of one command line: medians in milliseconds, and the rounds.
 * @typedef {{ wall: number, cpu: number, rounds: { wall: number, cpu: number }[] }} Summary
 */

const MARK = 'bench-times';
const TICKS_PER_SECOND = 100;

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Quotes a word for bash. */
export function quote(word) {
  return `'${String(word).replaceAll("'", "'\\''")}'`;
}

/** Runs a bash command line once, its output thrown away. Returns {wall, cpu} in milliseconds. */
export function timeOnce(line, env = process.env) {
  const script = `TIMEFORMAT='${MARK} %3R %3U %3S'; time { ${line}; } >/dev/null`;
  const result = spawnSync('bash', ['-c', script], { env: { ...env, LC_ALL: 'C' }, encoding: 'utf8' });
  if (result.error) throw result.error;
  const times = result.stderr.match(new RegExp(`^${MARK} ([\\d.]+) ([\\d.]+) ([\\d.]+)$`, 'm'));
  if (result.status !== 0 || times === null) {
    throw new Error(`${line}\nexited with ${result.status}\n${result.stderr}`);
  }
  const [wall, user, system] = times.slice(1).map((seconds) => Number(seconds) * 1000);
  return { wall, cpu: user + system };
}

/**
 * Times command lines side by side: one untimed round for the caches, then `runs` rounds of each in turn, so
 * that other load on the machine affects all of them alike. Returns for each line the medians {wall, cpu} and its
 * `rounds`, whose pairs give ratios (`pairedRatio`).
 */
export function sideBySide(lines, runs, env) {
  for (const line of lines) timeOnce(line, env);
  const taken = lines.map(() => []);
  for (let round = 0; round < runs; round++) {
    lines.forEach((line, k) => {
      taken[k].push(timeOnce(line, env));
    });
  }
  return taken.map(summary);
}

/**
 * What `sideBySide` returns of one line.
 * @param {{ wall: number, cpu: number }[]} rounds
 * @returns {Summary}
 */
export function summary(rounds) {
  return {
    wall: median(rounds.map(({ wall }) => wall)),
    cpu: median(rounds.map(({ cpu }) => cpu)),
    rounds,
  };
}

/** The median of the ratios of rounds that ran next to each other: load that comes and goes changes it little. */
export function pairedRatio(measured, reference, key) {
  return median(measured.rounds.map((round, k) => round[key] / reference.rounds[k][key]));
}

/** Can the program be started here? */
export function isHere(program, env = process.env) {
  return spawnSync('bash', ['-c', `command -v ${quote(program)}`], { env, stdio: 'ignore' }).status === 0;
}

/** User and system time of a process so far, in milliseconds. */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/**
 * The most memory a program had resident, in bytes: the high-water mark that Linux keeps, read while it runs.
 */
export async function peakMemory(command, args, env = process.env) {
  const child = spawn(command, args, { env, stdio: 'ignore' });
  let peak = 0;
  const look = () => {
    try {
      const mark = readFileSync(`/proc/${child.pid}/status`, 'utf8').match(/^VmHWM:\s+(\d+) kB$/m);
      if (mark !== null) peak = Math.max(peak, Number(mark[1]) * 1024);
    } catch {
      // It has ended; 'exit' comes next.
    }
  };
  const timer = setInterval(look, 2);
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  clearInterval(timer);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${status}`);
  return peak;
}
