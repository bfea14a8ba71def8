import { spawnSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './facts.mjs';

const ROUNDS = 15;
const STATUS = ['status', '--root', join(ROOT, 'fixtures/host/root')];
const HEAD = ['form', 'file', 'installed', 'first start', 'second start', 'memory of a coordinator'];

/**
 * @typedef {object} Form
 * @property {string} name
 * @property {string[]} command
 * @property {string} [file] What is copied to a host.
 * @property {string} [tree] What is installed.
 */

/**
 * A table, in Markdown, of what each form takes: sizes, the time of the first `status` of a user and of the fastest of
 * those after it, and the memory of a coordinator that is not shared with others. The forms take turns.
 * @param {Form[]} forms
 */
export function reportOf(forms) {
  const place = mkdtempSync(join(tmpdir(), 'thermos-report-'));
  try {
    const measured = forms.map((form, i) => {
      const home = join(place, String(i));
      const env = { PATH: process.env.PATH, HOME: place, XDG_CACHE_HOME: home, THERMOS_CACHE_DIR: home };
      return { ...form, env, first: timeOf(form.command, env), second: Number.POSITIVE_INFINITY };
    });
    for (let round = 0; round < ROUNDS; round++) {
      for (const form of measured) form.second = Math.min(form.second, timeOf(form.command, form.env));
    }
    const rows = measured.map((form) => [
      form.name,
      form.file === undefined ? '–' : megabytes(statSync(form.file).size),
      form.tree === undefined ? '–' : megabytes(bytesBelow(form.tree)),
      `${Math.round(form.first)} ms`,
      `${Math.round(form.second)} ms`,
      `${memoryOfCoordinator(form.command, form.env, mkdtempSync(join(place, 'root-')))} KiB`,
    ]);
    return [HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/**
 * Milliseconds of a status page of some tasks.
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 */
function timeOf(command, env) {
  const start = performance.now();
  thermos(command, STATUS, env);
  return performance.now() - start;
}

/**
 * The share of memory, in KiB, of the coordinator of a process that sleeps.
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root
 */
function memoryOfCoordinator(command, env, root) {
  const config = join(root, 'config.json');
  const processes = [{ name: 'main', cmdline: 'exec sleep 1000' }];
  writeFileSync(config, JSON.stringify({ name: 'web', processes }));
  const place = ['--root', root];
  thermos(command, ['run', '--daemon', '--task-id', 'web', ...place, config], env);
  try {
    thermos(command, ['wait', '--for', 'process=main:RUNNING', '--timeout', '60s', ...place, 'web'], env);
    const { tasks } = JSON.parse(thermos(command, ['status', '--json', ...place], env));
    const sums = readFileSync(`/proc/${tasks[0].processes[0].coordinator_pid}/smaps_rollup`, 'utf8');
    return Number(/^Pss: +(\d+) kB$/m.exec(sums)?.[1]);
  } finally {
    thermos(command, ['kill', '--yes', ...place, 'web'], env);
  }
}

/**
 * @param {string[]} command
 * @param {string[]} words
 * @param {NodeJS.ProcessEnv} env
 */
function thermos([program = '', ...first], words, env) {
  const { status, stdout, stderr } = spawnSync(program, [...first, ...words], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${status}\n${stderr}`);
  return stdout;
}

/** @param {string} directory */
function bytesBelow(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(directory, name)))
    .filter((stats) => stats.isFile())
    .reduce((sum, stats) => sum + stats.size, 0);
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
