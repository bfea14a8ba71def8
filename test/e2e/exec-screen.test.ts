import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HAS_NATIVE } from '../runner/harness.js';
import { RunPlace } from './run-task.js';
import { type Screen, screenPlace, startScreen } from './screen.js';

const AS_ROOT = process.getuid?.() === 0;
/** As what the tests run a task: root for another user, anybody else for himself. */
const FOR_USER = AS_ROOT ? ['--user', 'nobody'] : [];
const PATIENCE_MS = 60_000;

const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';

screenPlace();

let place: RunPlace;
beforeAll(() => {
  place = new RunPlace();
  const config = place.config([{ name: 'p', cmdline: 'exec sleep 100000' }]);
  expect(place.thermos('run', '--task-id', 't', ...FOR_USER, '--daemon', config).status).toBe(0);
  expect(place.thermos('wait', '--for', 'process=p:RUNNING', 't').status).toBe(0);
});
afterAll(() => place.remove());

const FOREVER = 'while :; do sleep 0.05; done';

function exec(...words: string[]): Screen {
  return startScreen(['exec', '--root', place.root, 't', ...words]);
}

/** Runs a script of sh. */
const script = (text: string) => exec('--', 'sh', '-c', text);

async function until(isTrue: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !isTrue(); await sleep(20)) {
    if (Date.now() > end) throw new Error('it never came');
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Does it wait for room to write? */
async function isStuck(pid: number): Promise<boolean> {
  const look = () => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '').split(' ');
  const [state, ...before] = look();
  await sleep(300);
  return state === 'S' && look().slice(11, 13).join() === before.slice(10, 12).join();
}

describe.skipIf(AS_ROOT && !HAS_NATIVE)('a command on a terminal', () => {
  test('has one of the same size and kind, and follows its size', async () => {
    const screen = script(`trap 'echo now $(stty size)' WINCH; tty; echo $TERM at $(stty size); ${FOREVER}`);
    await screen.until('/dev/pts/');
    await screen.until('xterm-256color at 24 80');
    screen.resize(100, 30);
    await screen.until('now 30 100');
    screen.type(CTRL_C);
    expect(await screen.ended).toBe(130);
    expect(screen.settingsKept).toBe(true);
  });

  test('gets Ctrl-C, and thermos ends only with it', async () => {
    const screen = script(`trap 'echo got it; sleep 0.2; echo done; exit 3' INT; echo ready; ${FOREVER}`);
    await screen.until('ready');
    screen.type(CTRL_C);
    expect(await screen.ended).toBe(3);
    expect(screen.lines).toContain('done');
    expect(screen.settingsKept).toBe(true);
  });

  test('reads what is typed, as it is typed', async () => {
    const screen = script(
      'read -r line; echo "<$line>"; stty raw -echo; echo raw; head -c 3 | od -An -tx1; stty sane',
    );
    screen.type('a line\r');
    await screen.until('<a line>');
    await screen.until(/^ *raw$/);
    // Ctrl-C, Ctrl-D and Ctrl-Z are bytes for who wants them.
    screen.type('\u0003\u0004\u001a');
    await screen.until('03 04 1a');
    expect(await screen.ended).toBe(0);
  });

  test('writes all it has to say before the end', async () => {
    const screen = script('i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done; exit 4');
    expect(await screen.ended).toBe(4);
    expect(screen.lines).toContain('line 2999');
    expect(screen.output.match(/line /g)).toHaveLength(3000);
  });

  test('is a shell with job control', async () => {
    const screen = exec('p');
    await screen.until(/[$#>] *$/);
    screen.type('PS1=\'%\'; echo be""gun\r');
    await screen.until('begun');
    screen.type('sleep 100000\r');
    await screen.until('%sleep 100000');
    await stop(screen);
    screen.type('kill %1; fg; echo rc $?\r');
    await screen.until(/^rc \d+/);
    screen.type('exit 42\r');
    expect(await screen.ended).toBe(42);
    expect(screen.settingsKept).toBe(true);
  });

  /** Until the shell has started what it is to stop, Ctrl-Z does nothing. */
  async function stop(screen: Screen): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(200)) {
      screen.type(CTRL_Z);
      await sleep(100);
      if (screen.lines.some((line) => /Stopped +sleep/.test(line))) return;
    }
    throw new Error('it was not stopped');
  }

  test.skipIf(!AS_ROOT)('of root ends if the terminal goes away', async () => {
    const screen = script(`echo pid $$; ${FOREVER}`);
    await screen.until(/^pid \d+$/);
    const pid = Number(/^pid (\d+)$/m.exec(screen.lines.join('\n'))?.[1]);
    expect(isAlive(pid)).toBe(true);
    screen.vanish();
    await until(() => !isAlive(pid));
  });

  test.skipIf(!AS_ROOT)('of root does not live on if thermos is killed', async () => {
    const screen = script(`echo pid $$; ${FOREVER}`);
    await screen.until(/^pid \d+$/);
    const pid = Number(/^pid (\d+)$/m.exec(screen.lines.join('\n'))?.[1]);
    screen.signal('SIGKILL');
    await until(() => !isAlive(pid));
  });

  test.each<NodeJS.Signals>(['SIGTERM', 'SIGHUP'])(
    'ends by %s to thermos if its terminal takes nothing more',
    async (signal) => {
      const screen = script('echo pid $$; exec yes');
      await until(() => /pid \d+\s/.test(screen.output));
      screen.freeze();
      const command = Number(/pid (\d+)/.exec(screen.output)?.[1]);
      while (!(await isStuck(command)));
      const thermos = screen.pid;
      process.kill(thermos, signal);
      await until(() => !isAlive(thermos));
    },
  );

  test.skipIf(AS_ROOT)(
    'of the user himself is stopped by Ctrl-Z together with thermos, and continued',
    async () => {
      const screen = script(`echo ready; read -r line; echo "<$line>"`);
      await screen.until('ready');
      screen.type(CTRL_Z);
      await screen.stopped();
      await screen.foreground();
      screen.type('more\r');
      await screen.until('<more>');
      expect(await screen.ended).toBe(0);
    },
  );

  test.skipIf(!AS_ROOT)('of root is not stopped by Ctrl-Z, because it leads its session', async () => {
    const screen = script(`echo ready; read -r line; echo "<$line>"`);
    await screen.until('ready');
    screen.type(`${CTRL_Z}more\r`);
    await screen.until(/<.*more>/);
    expect(await screen.ended).toBe(0);
  });

  test.skipIf(!AS_ROOT)(
    'of root has a terminal that is not that of root, in a session of its own',
    async () => {
      const screen = script(
        'echo its $(tty), $(ps -o sid= -p $$) $$; stat -c "%U" $(tty); ls -l /proc/$$/fd',
      );
      await screen.ended;
      const text = screen.lines.join('\n');
      const [, its, session, pid] = /^its (\/dev\/pts\/\d+), +(\d+) (\d+)$/m.exec(text) ?? [];
      expect(session).toBe(pid);
      expect(screen.tty).toMatch(/^\/dev\/pts\/\d+$/);
      expect(its).not.toBe(screen.tty);
      expect(text).toMatch(/^nobody$/m);
      expect(text).not.toContain(`-> ${screen.tty}`);
    },
  );
});
