import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeRun } from '../discovery/trees.js';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { PROGRAM, placeForEach, runToEnd, thermos } from './harness.js';

const place = placeForEach();

/** Names that a shell reads as something else, unless they are quoted. */
const ODD_ROOTS = [`it's "my" root; a|b>c`, '$(touch pwned) $HOME & `id` #', '-rf\\ *\nline'];
const ODD_ID = `a'b $(touch pwned);"c" *`;

/** Changes nothing: what would be changed is only shown. */
const DEFINE = `thermos() {
  case $1 in
    (gc) set -- gc --dry-run --orphan-age 0s "\${@:2}";;
    (kill|run) set -- "$1" --dry-run "\${@:2}";;
  esac
  '${process.execPath}' '${PROGRAM}' "$@"
}`;

/** The thermos commands that a text advises to run: up to the end of the line. */
function commandsIn(text: string): string[] {
  return text.split('\n').flatMap((line) => /(?:^|: )(thermos .*)$/.exec(line)?.[1] ?? []);
}

/** Pastes the command into bash, somewhere else; returns all output. */
function paste(command: string): string {
  const elsewhere = join(place.path, 'elsewhere');
  mkdirSync(elsewhere, { recursive: true });
  const { stdout, stderr, status } = runToEnd('bash', ['-c', `${DEFINE}\n${command}`], { cwd: elsewhere });
  expect(existsSync(join(elsewhere, 'pwned'))).toBe(false);
  expect([0, 1, 5], `${command}\n${stderr}`).toContain(status);
  expect(stderr).not.toMatch(/no task matches|does not exist|there is no|usage:/);
  return stdout + stderr;
}

const header = (task_id: string) => ({
  task_id,
  launch_time_ms: 1_400_000_000_000,
  sandbox: place.path,
  log_dir: join(place.path, '.logs'),
  hostname: hostname(),
  user: userInfo().username,
  uid: userInfo().uid,
});
const task = (name: string) => ({ name, processes: [{ name: 'p', cmdline: 'true' }] });

/** Tasks with which different things are wrong. */
function brokenTasks(root: string): void {
  const active = () => new Records().status('ACTIVE').header(header(ODD_ID));
  writeTask(root, ODD_ID, { task: task(ODD_ID), runner: active() });
  writeTask(root, 'moved', {
    task: task('moved'),
    runner: active()
      .process('p', ...RAN)
      .status('SUCCESS'),
  });
  writeTask(root, 'torn', { task: task('torn'), runner: active().bytes().subarray(0, -3) });
  writeTask(root, 'no checkpoint', { task: task('n'), runner: null, phase: 'finished' });
  writeTask(root, 'no file', { task: null, runner: active() });
}

describe.each(ODD_ROOTS)('with the root %j, what is advised can be pasted', (name) => {
  test('by doctor', () => {
    const root = join(place.path, name);
    brokenTasks(root);
    const { findings } = JSON.parse(thermos(['doctor', '--json', '--root', root]).stdout);
    const advice: string[] = findings.flatMap(({ advice }: { advice: string[] }) => advice);
    const commands = commandsIn(advice.filter((each) => !each.includes('CONFIG')).join('\n'));
    const kinds = new Set(commands.map((command) => command.split(' ')[1]));
    expect([...kinds].sort()).toEqual(['gc', 'read', 'run']);
    const output = commands.map(paste).join('\n');
    for (const id of ['moved', 'torn', 'no checkpoint', 'no file']) expect(output).toContain(id);
    expect(new Set(advice).size).toBe(advice.length);
  });

  test('by the other commands', () => {
    const root = join(place.path, name);
    writeTask(root, ODD_ID, {
      phase: 'finished',
      task: task(ODD_ID),
      runner: new Records()
        .status('ACTIVE')
        .header(header(ODD_ID))
        .process('p', ...FAILED)
        .status('FAILED'),
    });
    mkdirSync(join(place.path, '.logs/p/0'), { recursive: true });
    writeFileSync(join(place.path, '.logs/p/0/stderr'), 'oops\n');
    const lines = [
      ['doctor', '--root', root, ODD_ID],
      ['status', '--root', root, 'zzz'],
      ['run', '--root', root, '--task-id', ODD_ID, join(root, 'tasks/finished', ODD_ID)],
    ];
    for (const words of lines) {
      const { stdout, stderr } = thermos(words);
      const commands = commandsIn(stdout + stderr);
      expect(commands.length, stdout + stderr).toBeGreaterThan(0);
      for (const command of commands) paste(command);
    }
  });
});

test('a root that was found by the working directory or a path is named, one that any command finds is not', () => {
  const root = join(place.path, 'my root');
  brokenTasks(root);
  const gc = (args: string[], options = {}) => {
    const { stdout } = thermos(['doctor', ...args], options);
    return commandsIn(stdout).find((command) => command.startsWith('thermos gc'));
  };
  const named = `thermos gc --root '${root}' `;
  expect(gc([], { cwd: join(root, 'tasks'), env: { THERMOS_ROOT: '' } })).toContain(named);
  expect(gc([join(root, 'tasks/active/moved')])).toContain(named);
  expect(gc([], { env: { THERMOS_ROOT: root } })).toMatch(/^thermos gc (?!--root)/);
});

test('of Mesos tasks, by the work directory that the flag names', () => {
  const workDir = join(place.path, `it's mesos`);
  for (const id of ['t-1', 't-2']) {
    const run = makeRun(workDir, `thermos-${id}`, `C-${id}`, 'S0');
    const runner = new Records().status('ACTIVE').header(header(id));
    writeTask(join(run, 'checkpoints'), id, { task: task(id), runner });
  }
  const { stdout } = thermos(['doctor', '--mesos-root', workDir]);
  const commands = commandsIn(stdout);
  const quoted = `'${workDir.replaceAll("'", "'\\''")}'`;
  expect(commands).toContain(`thermos gc --mesos-root ${quoted} t-1 t-2`);
  for (const command of commands) expect(paste(command)).not.toContain('no task');
  rmSync(workDir, { recursive: true });
});
