import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { FAILED, Records, writeTask } from '../task/trees.js';
import { isAlive } from './run-task.js';
import { ORDINARY, type Screen, type ScreenOptions, screenPlace, startScreen } from './screen.js';

const place = screenPlace();
const names = Array.from({ length: 20 }, (_, i) => `p${i}`);
beforeEach(() => {
  writeTask(place.root, 'failed', {
    phase: 'finished',
    task: { processes: names.map((name) => ({ name, cmdline: 'true' })) },
    runner: new Records()
      .status('ACTIVE')
      .process('p0', ...FAILED)
      .status('FAILED'),
  });
});

/** `doctor` of a task that failed: more than 24 lines, exit code 1. */
function doctor(pager: string | undefined, words: string[] = [], options: ScreenOptions = {}): Screen {
  // undefined: what the program chooses itself.
  const env = { ...(pager === undefined ? {} : { THERMOS_PAGER: pager }), ...options.env };
  return startScreen(['doctor', '--root', place.root, 'failed', '--verbose', ...words], { ...options, env });
}

/** The last line of the answer. */
const LAST = 'the task file is moved to';

/** A pager of sh: shows one line, and waits for Enter. */
function scriptedPager(traps = ''): string {
  const path = join(place.path, 'pager');
  const lines = [
    traps,
    `echo $$ >'${path}.pid'`,
    'tty=$(stty -g </dev/tty)',
    // A read ends after 0.1 s: dash notices a signal that comes just before a read only when that has ended.
    'stty -icanon -echo min 0 time 1 </dev/tty',
    `printf 'PAGED '; head -n 1`,
    // Nothing is started here that would not get a signal.
    'until read -r _ </dev/tty; do : </dev/tty || exit; done',
    'stty "$tty" </dev/tty',
  ];
  writeFileSync(path, lines.join('\n'));
  return `sh '${path}'`;
}

const pidOfPager = () => Number(readFileSync(join(place.path, 'pager.pid'), 'utf8'));

async function until(sees: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !sees(); await sleep(10)) expect(Date.now()).toBeLessThan(end);
}

describe('a pager', () => {
  test('shows the answer that is longer than the terminal; if it ends early, the exit code is that of the command', async () => {
    const screen = doctor(scriptedPager());
    await screen.until('PAGED failed  FAILED');
    screen.type('\n');
    expect(await screen.ended).toBe(1);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
    expect(screen.lines.join('')).not.toContain(LAST);
    expect(screen.lines.join('').toLowerCase()).not.toContain('epipe');
  });

  test('is a line for the shell', async () => {
    const screen = doctor('grep "^failed" | tr a-z A-Z', ['--no-color']);
    expect(await screen.ended).toBe(1);
    expect(screen.lines[0]).toBe('FAILED  FAILED');
  });

  test('gets all of a long answer, in colour', async () => {
    const screen = doctor(`cat >'${place.path}/paged'`);
    expect(await screen.ended).toBe(1);
    const paged = readFileSync(join(place.path, 'paged'), 'utf8');
    expect(paged).toContain('\u001b[31mFAILED\u001b[39m');
    expect(paged).toContain(LAST);
    expect(screen.output).toBe('');
  });

  test('that cannot be started is replaced by plain output', async () => {
    const screen = doctor('no-such-pager-anywhere');
    expect(await screen.ended).toBe(1);
    expect(screen.lines.join('\n')).toContain(LAST);
    expect(screen.past.concat(screen.lines).join('\n')).toContain('failed  FAILED');
  });

  test.each([
    ['with --no-pager', ['--no-pager'], {}],
    ['with --json', ['--json'], {}],
    ['if nobody can press a key', [], { stdin: 'closed' }],
    ['if the answer fits', [], { rows: 100 }],
    ['on a dumb terminal', [], { env: { TERM: 'dumb' } }],
  ] satisfies [string, string[], ScreenOptions][])('is not started %s', async (_, words, options) => {
    const screen = doctor(`touch '${place.path}/started'`, words, options);
    expect(await screen.ended).toBe(1);
    expect(screen.output).toContain(LAST);
    expect(existsSync(join(place.path, 'started'))).toBe(false);
  });

  test.each([
    ['help', []],
    ['inspect', ['--root', '/ROOT', 'failed']],
    ['read', ['/ROOT/checkpoints/failed/runner']],
  ])('is started by %s', async (command, words) => {
    const args = [command, ...words.map((word) => word.replace('/ROOT', place.root))];
    const screen = startScreen(args, { rows: 10, env: { THERMOS_PAGER: 'echo PAGED' } });
    expect(await screen.ended).toBe(0);
    expect(screen.lines.slice(0, 2)).toEqual(['PAGED', '']);
  });
});

describe('what else comes while a pager is open', () => {
  test('Ctrl-C and Ctrl-\\ are for the pager', async () => {
    const screen = doctor(scriptedPager(`trap '' INT QUIT`));
    await screen.until('PAGED');
    screen.type('\u0003\u001c');
    await sleep(100);
    expect(isAlive(screen.pid)).toBe(true);
    screen.type('\n');
    expect(await screen.ended).toBe(1);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test('Ctrl-C that ends the pager ends the program', async () => {
    const screen = doctor(scriptedPager(`trap 'stty "$tty" </dev/tty; trap - INT; kill -INT $$' INT`));
    await screen.until('PAGED');
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends the pager first, which restores the terminal', async (signal, status) => {
    const screen = doctor(scriptedPager(`trap 'stty "$tty" </dev/tty; exit' TERM HUP`));
    await screen.until('PAGED');
    screen.signal(signal);
    expect(await screen.ended).toBe(status);
    expect([screen.settingsKept, isAlive(pidOfPager())]).toEqual([true, false]);
  });

  test('SIGTERM does not wait for ever for a pager that does not end', async () => {
    // Nor do the programs that it starts: they ignore what it ignores.
    const screen = doctor(scriptedPager(`trap '' TERM`));
    await screen.until('PAGED');
    screen.signal('SIGTERM');
    expect(await screen.ended).toBe(143);
    // The end of the terminal ends it.
    await until(() => !isAlive(pidOfPager()));
  });

  test('a terminal that vanishes takes both with it', async () => {
    const screen = doctor(scriptedPager());
    await screen.until('PAGED');
    const [program, pager] = [screen.pid, pidOfPager()];
    screen.vanish();
    await until(() => !isAlive(program) && !isAlive(pager));
  });
});

/** Who builds this on a machine without less has the tests above. */
describe.runIf(spawnSync('less', ['--version']).status === 0)('less', () => {
  // As if there were no THERMOS_PAGER, PAGER or LESS.
  const less = async (variables = '') => {
    const screen = doctor(`LESS=FRX ${variables} less`);
    await screen.until(PROMPT);
    return screen;
  };
  const PROMPT = /^(:|\(END\))$/;

  test('shows the first screen, scrolls, and ends with the exit code of the command', async () => {
    const screen = await less();
    expect(screen.lines[0]).toBe('failed  FAILED');
    expect(screen.lines.at(-1)).toBe(':');
    screen.type('G');
    await screen.until(LAST);
    screen.type('\u0003');
    // The terminal forgets what is typed at the same time.
    await screen.until(PROMPT);
    await sleep(50);
    expect(isAlive(screen.pid)).toBe(true);
    screen.type('q');
    expect(await screen.ended).toBe(1);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test('is stopped by Ctrl-Z with the program, and goes on', async () => {
    const screen = await less('LESSSECURE=');
    screen.type('\u001a');
    await screen.stopped();
    expect(screen.settingsKept).toBe(true);
    await screen.foreground();
    await until(() => screen.settings.includes('-icanon'));
    await screen.until(PROMPT);
    screen.type('q');
    expect(await screen.ended).toBe(1);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test('keeps the terminal if it does not stop', async () => {
    const screen = await less('LESSSECURE=1');
    screen.type('\u001a');
    await sleep(600);
    screen.type('q');
    expect(await screen.ended).toBe(1);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s leaves the terminal as it was', async (signal, status) => {
    const screen = await less();
    screen.signal(signal);
    expect(await screen.ended).toBe(status);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });

  test('shows the other rows of a terminal that grows', async () => {
    const screen = await less();
    screen.resize(100, 30);
    await screen.until(LAST);
    expect(screen.lines).toHaveLength(30);
    screen.type('q');
    expect(await screen.ended).toBe(1);
    expect([screen.settingsKept, screen.modes]).toEqual([true, ORDINARY]);
  });
});
