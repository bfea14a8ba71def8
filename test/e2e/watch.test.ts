import { appendFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FAILED, RAN, Records, writeTask } from '../task/trees.js';
import { placeForEach, shell, startThermos } from './harness.js';
import {
  ago,
  expectScreens,
  ORDINARY,
  type Screen,
  type ScreenOptions,
  screenPlace,
  startScreen,
} from './screen.js';
import { expectContract } from './tasks.js';
import { Watched } from './watched.js';

const temp = placeForEach();
const { children } = temp;
let root: string;
beforeEach(() => {
  ({ root } = temp);
});

function watch(...args: string[]): Watched {
  return new Watched(
    startThermos(['status', '--watch', '--interval', '0.1', '--root', root, ...args]),
    children,
  );
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe('on a pipe', () => {
  test('a frame only when something changed; SIGINT ends it with 130', async () => {
    const records = new Records().status('ACTIVE').process('p', ...RAN);
    const directory = writeTask(root, 't', {
      runner: records,
      task: { processes: [{ name: 'p' }, { name: 'q' }] },
    });
    const watched = watch('--verbosity', '3');
    await watched.until(({ stdout }) => stdout.includes(' q '));
    const first = watched.stdout;
    // Ten looks later there is nothing to say.
    await new Promise((done) => setTimeout(done, 1000));
    expect(watched.stdout).toBe(first);
    const before = records.bytes().length;
    appendFileSync(
      join(directory, 'runner'),
      records.process('q', 'WAITING', 'FORKED').bytes().subarray(before),
    );
    await watched.until(({ stdout }) => stdout.includes('FORKED'));
    watched.child.kill('SIGINT');
    expect(await watched.ended).toEqual({ status: 130, signal: null });
    expect(watched.stderr).toBe('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(watched.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(watched.stdout.match(/^t {2}/gm)).toHaveLength(2);
  });

  test('--json: one document a line, valid; SIGTERM ends it with 143', async () => {
    writeTask(root, 't');
    const watched = watch('--json', 't');
    await watched.until(({ stdout }) => stdout.endsWith('\n'));
    appendFileSync(join(root, 'checkpoints/t/runner'), new Records().status('SUCCESS').bytes());
    renameSync(join(root, 'tasks/active/t'), join(root, 'tasks/finished/t'));
    await watched.until(({ stdout }) => stdout.includes('"phase":"finished"'));
    watched.child.kill('SIGTERM');
    expect(await watched.ended).toEqual({ status: 143, signal: null });
    const documents = lines(watched.stdout).map((line) => JSON.parse(line));
    for (const document of documents) expectContract('status', document);
    expect(documents.at(0).tasks[0].state).toBe('ACTIVE');
    expect(documents.at(-1).tasks[0]).toMatchObject({ state: 'SUCCESS', verdict: 'ok', problems: [] });
    expect(new Set(lines(watched.stdout)).size).toBe(documents.length);
  });

  test('problems and notices are said on stderr, when they come and once', async () => {
    writeTask(root, 't', { runner: new Records().status('ACTIVE') });
    const watched = watch('--json');
    await watched.until(({ stdout }) => stdout !== '');
    appendFileSync(join(root, 'checkpoints/t/runner'), Buffer.alloc(8));
    await watched.until(({ stderr }) => stderr.includes('is damaged at byte'));
    rmSync(join(root, 'checkpoints/t'), { recursive: true });
    rmSync(join(root, 'tasks/active/t'));
    await watched.until(({ stderr }) => stderr.endsWith(`No tasks in ${root}.\n`));
    await new Promise((done) => setTimeout(done, 300));
    watched.child.kill('SIGINT');
    await watched.ended;
    expect(lines(watched.stdout).at(-1)).toContain('"tasks":[]');
    expect(watched.stderr.match(/is damaged at byte/g)).toHaveLength(1);
    expect(watched.stderr.match(/No tasks in/g)).toHaveLength(1);
  });

  test('a task that goes away ends it: exit 1, as if it had never been', async () => {
    writeTask(root, 'keep');
    writeTask(root, 't');
    const watched = watch('t');
    await watched.until(({ stdout }) => stdout !== '');
    rmSync(join(root, 'tasks/active/t'));
    rmSync(join(root, 'checkpoints/t'), { recursive: true });
    expect((await watched.ended).status).toBe(1);
    expect(watched.stderr).toContain("error: no task matches 't'");
  });

  test('nobody reads any more: exit 0, quietly, with the next frame', () => {
    writeTask(root, 't');
    const reader = `{ head -1; exec <&-; cp -r '${root}/checkpoints/t' '${root}/checkpoints/u'; }`;
    const { stdout, stderr } = shell(
      `thermos status --watch --interval 0.1 --root '${root}' | ${reader}; echo "\${PIPESTATUS[0]}"`,
    );
    expect([stdout.split('\n').at(-2), stderr]).toEqual(['0', '']);
  });

  test('nobody reads any more from a socket: exit 0, quietly, though nothing changes', async () => {
    writeTask(root, 't');
    const watched = watch();
    await watched.until(({ stdout }) => stdout !== '');
    watched.child.stdout?.destroy();
    expect(await watched.ended).toEqual({ status: 0, signal: null });
    expect(watched.stderr).toBe('');
  });
});

describe('on a terminal', () => {
  const place = screenPlace();
  const start = (args: readonly string[] = [], options: ScreenOptions = {}) =>
    startScreen(['status', '--watch', '--interval', '0.1', '--root', place.root, ...args], options);
  const many = (count: number) => {
    for (let i = 0; i < count; i++) writeTask(place.root, `task-${String(i).padStart(2, '0')}`);
  };
  const asBefore = (screen: Screen) => [screen.modes, screen.settingsKept];
  const AS_BEFORE = [ORDINARY, true];

  test('its screens', async () => {
    for (let i = 0; i < 60; i++) {
      const failed = i % 7 === 3;
      // Longer ago than any machine is up.
      const since = i < 3 ? 4_200 : i + 1;
      writeTask(
        place.root,
        `www-data-prod-hello-${i}-6ba7b812-9dad-51d1-80b4-${String(i).padStart(12, '0')}`,
        {
          phase: i < 3 ? 'active' : 'finished',
          task: { name: 'hello', processes: [{ name: 'p' }, { name: 'q' }] },
          runner: new Records()
            .header({ user: 'www-data' })
            .status('ACTIVE', ago(since + 1, 'd'))
            .process('p', ...(failed ? FAILED : RAN))
            .status(i < 3 ? 'CLEANING' : failed ? 'FAILED' : 'SUCCESS', ago(since, 'd')),
        },
      );
    }
    const normalise = [[/\d\d:\d\d:\d\d$/, '#']] as const;
    await expectScreens('watch', ['status', '--watch', '--root', place.root], {
      normalise,
      steps: [{ see: 'q quit' }],
    });
    await expectScreens('watch-filter', ['status', '--watch', '--root', place.root], {
      normalise,
      steps: [
        { see: 'q quit', type: '/failed' },
        { see: '/failed' },
        { see: ({ lines }) => !lines.join().includes('SUCCESS  ') },
      ],
    });
  });

  test('its keys', async () => {
    many(40);
    const screen = start([], { rows: 20 });
    await screen.until('25 more');
    expect(screen.lines.filter((line) => line.startsWith('task-'))).toHaveLength(15);
    screen.type('\u001b[B');
    await screen.until('24 more, 1 above');
    // A sequence in two pieces.
    screen.type('\u001b');
    screen.type('[6~');
    await screen.until('10 more, 15 above');
    screen.type('G');
    await screen.until(/^25 above$/);
    await screen.until('task-39');
    screen.type('\u001b[H');
    await screen.until('25 more');
    screen.type('r');
    await screen.until(({ lines }) => lines[3]?.startsWith('task-39') === true);
    await screen.until('reversed');
    screen.type('ss');
    await screen.until('s sort: state');
    screen.type('/K-1');
    await screen.until(/^\/K-1/);
    await screen.until(({ lines }) => lines.filter((line) => line.startsWith('task-1')).length === 10);
    expect(screen.modes.cursorVisible).toBe(true);
    expect(screen.cursor).toEqual({ row: 20, column: 5 });
    screen.type('\u007f3\r');
    await screen.until("/ filter 'K-3': 10");
    expect(screen.modes.cursorVisible).toBe(false);
    screen.type('\u001b');
    await screen.until('25 more');
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
    // What was seen last is seen still.
    expect(screen.lines.slice(0, 2)).toEqual([expect.stringMatching(/^40 tasks: 40 active/), '']);
    expect(screen.lines.filter((line) => line.startsWith('task-'))).toHaveLength(15);
    expect(screen.lines[18]).toBe('25 more');
  });

  test('a filter of any characters; what is pasted is no command', async () => {
    many(3);
    writeTask(place.root, 'grün-漢字');
    const screen = start();
    await screen.until('4 tasks');
    screen.type('\u001b[200~q\u0003G/x\r\u001b[201~');
    screen.type(Buffer.from('/grün-漢').subarray(0, 9));
    await screen.until(/^\/grün-/);
    screen.type(Buffer.from('/grün-漢').subarray(9));
    await screen.until(/^\/grün-漢 /);
    screen.type('\u001b[200~字\u0007q\n\u001b[201~');
    await screen.until(/^\/grün-漢字q/);
    // Random bytes of a file, into a terminal that does not mark them.
    const garbage = Buffer.from(
      Array.from({ length: 3000 }, (_, i) => (i * 7919 + (i >> 3)) % 256).filter(
        (byte) => ![3, 10, 13, 26, 28, 81, 113].includes(byte),
      ),
    );
    screen.type(garbage);
    await new Promise((done) => setTimeout(done, 200));
    screen.type('\u001b\u001b');
    await screen.until('q quit');
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test.each<[string, number, (screen: Screen) => void]>([
    ['q', 0, (screen) => screen.type('q')],
    ['Ctrl-C', 130, (screen) => screen.type('\u0003')],
    ['Ctrl-\\', 131, (screen) => screen.type('\u001c')],
    ['SIGINT', 130, (screen) => screen.signal('SIGINT')],
    ['SIGTERM', 143, (screen) => screen.signal('SIGTERM')],
    ['SIGHUP', 129, (screen) => screen.signal('SIGHUP')],
  ])('%s ends it with %d; the terminal is as it was', async (_, status, end) => {
    many(2);
    const screen = start();
    await screen.until('2 tasks');
    expect(screen.modes).toEqual({
      ...ORDINARY,
      alternateScreen: true,
      cursorVisible: false,
      wraps: false,
      bracketedPaste: true,
      mouse: true,
    });
    end(screen);
    expect(await screen.ended).toBe(status);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test.each<[string, (screen: Screen) => void]>([
    ['Ctrl-Z', (screen) => screen.type('\u001a')],
    ['SIGTSTP', (screen) => screen.signal('SIGTSTP')],
  ])('%s stops it: the terminal is as it was, until it goes on', async (_, stop) => {
    many(2);
    const screen = start();
    await screen.until('2 tasks');
    for (let again = 0; again < 2; again++) {
      stop(screen);
      await screen.stopped();
      expect(asBefore(screen)).toEqual(AS_BEFORE);
      writeTask(place.root, `new-${again}`);
      await screen.foreground();
      await screen.until(`new-${again}`);
      expect(screen.modes.alternateScreen).toBe(true);
    }
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test('SIGSTOP cannot be heard; afterwards everything is drawn again, and the keys work', async () => {
    many(2);
    const screen = start();
    await screen.until('2 tasks');
    screen.signal('SIGSTOP');
    await screen.stopped();
    // As a shell does that edits its line.
    screen.reset();
    await screen.foreground();
    await screen.until(() => screen.settings.includes('-icanon'));
    await screen.until(({ lines }) => lines[0]?.startsWith('2 tasks') === true);
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test('a terminal that cannot be drawn on gets a page after the other', async () => {
    many(2);
    const screen = start([], { env: { TERM: 'dumb' } });
    await screen.until('2 tasks');
    writeTask(place.root, 'new');
    await screen.until('3 tasks');
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect(screen.output).not.toContain('\u001b');
  });

  test('another size; a row as wide as the terminal keeps its last letter', async () => {
    writeTask(place.root, 'one', { runner: new Records().status('ACTIVE') });
    writeTask(place.root, 'two');
    const screen = start(['--columns', 'task,state'], { columns: 60 });
    await screen.until(/^one +ACTIVE$/);
    screen.resize(12, 8);
    await screen.until(/^one +ACTIVE$/);
    // The summary takes as many rows as it may.
    await screen.until(({ lines }) => lines[0] === '2 tasks: 2' && lines[1]?.startsWith('active') === true);
    screen.resize(10, 5);
    await screen.until(/^one {3}ACTI$/);
    screen.resize(100, 30);
    await screen.until(({ lines }) => lines[0]?.startsWith('2 tasks: 2 active, 0 finished;') === true);
    await screen.until(({ lines }) => lines.at(-1)?.startsWith('q quit') === true);
    expect(screen.past).toEqual([]);
    screen.type('q');
    expect(await screen.ended).toBe(0);
  });

  test('the terminal vanishes: it ends', async () => {
    many(2);
    const screen = start();
    await screen.until('2 tasks');
    screen.vanish();
    expect(await screen.ended).not.toBe(0);
    expect(() => process.kill(screen.pid, 0)).toThrow('ESRCH');
  });

  test('without a terminal to type on there are no keys', async () => {
    many(2);
    const screen = start([], { stdin: 'closed' });
    await screen.until('Ctrl-C quit');
    expect(screen.lines.join()).not.toContain('q quit');
    screen.type('q');
    await new Promise((done) => setTimeout(done, 300));
    screen.type('\u0003');
    expect(await screen.ended).toBe(130);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
  });

  test('a task that goes away ends it; the error is on the ordinary screen', async () => {
    writeTask(place.root, 'keep');
    writeTask(place.root, 't');
    const screen = start(['t']);
    await screen.until('1 task');
    rmSync(join(place.root, 'tasks/active/t'));
    rmSync(join(place.root, 'checkpoints/t'), { recursive: true });
    expect(await screen.ended).toBe(1);
    expect(asBefore(screen)).toEqual(AS_BEFORE);
    expect(screen.lines.join('\n')).toContain("error: no task matches 't'");
  });

  test('what is not a task is said below them, and at the end on stderr', async () => {
    writeTask(place.root, 't', {
      runner: Buffer.concat([new Records().status('ACTIVE').bytes(), Buffer.alloc(8)]),
    });
    const screen = start();
    await screen.until('is damaged at');
    expect(screen.lines.at(-1)).toContain('q quit');
    screen.type('q');
    expect(await screen.ended).toBe(0);
    expect(screen.lines.join('\n')).toMatch(/^1 task: [\s\S]*is damaged at/);
  });

  test('--json prints lines there, too', async () => {
    writeTask(place.root, 't');
    const screen = start(['--json'], { columns: 5000 });
    await screen.until('"tasks":[');
    screen.signal('SIGINT');
    expect(await screen.ended).toBe(130);
    expect(screen.output).not.toContain('\u001b');
    for (const line of lines(screen.output.replaceAll('\r', ''))) expectContract('status', JSON.parse(line));
  });

  test('what cannot be shown at all is said on the ordinary screen', async () => {
    writeTask(place.root, 't');
    const screen = start(['no-such-task']);
    expect(await screen.ended).toBe(1);
    expect(screen.output).not.toContain('\u001b[?1049h');
    expect(screen.lines.join('\n')).toContain("error: no task matches 'no-such-task'");
  });
});
