import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { RAN, Records, writeTask } from '../task/trees.js';
import { cleanEnv, PROGRAM, placeForEach, shell, startThermos } from './harness.js';
import { expectContract } from './tasks.js';

const temp = placeForEach();
const { children } = temp;
let root: string;
beforeEach(() => {
  ({ root } = temp);
});

/** A program whose output is gathered, and can be waited for. */
class Watched {
  stdout = '';
  stderr = '';
  readonly ended: Promise<{ status: number | null; signal: string | null }>;

  constructor(readonly child: ChildProcess) {
    children.push(child);
    child.stdout?.setEncoding('utf8').on('data', (data: string) => {
      this.stdout += data;
    });
    child.stderr?.setEncoding('utf8').on('data', (data: string) => {
      this.stderr += data;
    });
    this.ended = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal })));
  }

  async until(condition: (watched: Watched) => boolean): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!condition(this)) {
      if (Date.now() > deadline)
        throw new Error(`it never came: ${JSON.stringify(this.stdout).slice(-300)} ${this.stderr}`);
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.stdout}${this.stderr}`);
      await new Promise((done) => setTimeout(done, 5));
    }
  }
}

function watch(...args: string[]): Watched {
  return new Watched(startThermos(['status', '--watch', '--interval', '0.1', '--root', root, ...args]));
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
  const ENTER = '\u001b[?1049h';
  const LEAVE = '\u001b[?1049l';

  /** The program on a pty of script(1); `pid` of the program itself. */
  async function onTerminal(
    ...args: string[]
  ): Promise<{ watched: Watched; signal: (name: NodeJS.Signals) => void }> {
    const file = join(temp.path, 'pid');
    const command = [
      process.execPath,
      PROGRAM,
      'status',
      '--watch',
      '--interval',
      '0.1',
      '--root',
      root,
      ...args,
    ];
    const line = `stty cols 100 rows 20; echo $$ > '${file}'; exec ${command.map((word) => `'${word}'`).join(' ')}`;
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      env: cleanEnv({ TERM: 'xterm', SHELL: '/bin/sh' }),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const watched = new Watched(child);
    const signal = (name: NodeJS.Signals) => process.kill(Number(readFileSync(file, 'utf8')), name);
    return { watched, signal };
  }

  test('a screen of its own, redrawn in place; the last frame stays; 130', async () => {
    writeTask(root, 't', { runner: new Records().status('ACTIVE').header({ user: 'ann' }) });
    const { watched, signal } = await onTerminal();
    await watched.until(({ stdout }) => stdout.split('Ctrl-C to quit').length > 3);
    signal('SIGINT');
    expect((await watched.ended).status).toBe(130);
    const { stdout } = watched;
    const [before, ...rest] = stdout.split(ENTER);
    expect([before, rest.length]).toEqual(['', 1]);
    const [drawn = '', after = '', ...more] = (rest[0] as string).split(LEAVE);
    expect(more).toEqual([]);
    // Each frame starts at the top left; the screen is never cleared as a whole.
    expect(drawn.split('\u001b[H').length).toBeGreaterThan(3);
    expect(drawn).not.toContain('\u001b[2J');
    expect(drawn).toContain('\u001b[?25l\u001b[?7l');
    expect(drawn.endsWith('\u001b[?7h\u001b[?25h')).toBe(true);
    expect(after).toMatch(/^1 task: 1 active, 0 finished; 1 (runner-gone|host-rebooted)\r\n\r\n/);
    expect(after).toContain('ann');
  });

  test('more tasks than lines: a frame is cut to the screen, the last one is whole', async () => {
    for (let i = 0; i < 40; i++) writeTask(root, `task-${String(i).padStart(2, '0')}`);
    const { watched, signal } = await onTerminal('--no-color');
    await watched.until(({ stdout }) => stdout.includes('Ctrl-C to quit'));
    signal('SIGTERM');
    expect((await watched.ended).status).toBe(143);
    const [drawn = '', after = ''] = watched.stdout.split(LEAVE);
    expect(drawn).not.toContain('task-39');
    expect((drawn.split('\u001b[H')[1] as string).split('\n').length).toBeLessThan(20);
    expect(after).toContain('task-39');
    expect(after).not.toContain('\u001b');
  });

  test('--json prints lines there, too', async () => {
    writeTask(root, 't');
    const { watched, signal } = await onTerminal('--json');
    await watched.until(({ stdout }) => stdout.includes('\n'));
    signal('SIGINT');
    expect((await watched.ended).status).toBe(130);
    expect(watched.stdout).not.toContain('\u001b');
    for (const line of lines(watched.stdout.replaceAll('\r', '').replace('^C', '')))
      expectContract('status', JSON.parse(line));
  });

  test('what cannot be shown at all is said on the ordinary screen', async () => {
    writeTask(root, 't');
    const { watched } = await onTerminal('no-such-task');
    expect((await watched.ended).status).toBe(1);
    expect(watched.stdout).not.toContain(ENTER);
    expect(watched.stdout).toContain("error: no task matches 'no-such-task'");
  });
});
