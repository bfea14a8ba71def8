/**
 * The built program on a real terminal, and what a person sees there.
 *
 * `expectScreens` is the golden of a screen: it runs the program at 80×24 and at 140×40 on a pty, and compares the
 * rows, the cursor and all that is coloured with `test/e2e/screens/NAME.80x24.txt` and `NAME.140x40.txt`; then it runs
 * it in tmux, if that is installed, and expects the same rows. It also expects that all colours can be read on dark
 * and on light terminals. To add one:
 *
 *     const place = screenPlace();                       // at the top of the file, as placeForEach()
 *     test('status shows … first', async () => {
 *       writeTask(place.root, 't', …);
 *       await expectScreens('status-of-three', ['status', '--root', place.root]);
 *     });
 *
 * `npx vitest run test/e2e/your.test.ts -u` writes the files. Look at them, and commit them. A golden must be the same
 * on every machine, at any time: make the tasks as long ago as `ago` says, and normalise what else changes, to text of
 * the same width. Paths are as long on every machine if they are in `screenPlace()`, and are shown as
 * `/tmp/screen-XXXXXX`. A program that does not end by itself needs `steps`: what to wait for, and what to type then;
 * the screen is taken at the end of them, and the program is killed.
 *
 * `startScreen` is for all that is no golden: keys, signals, resizing, a terminal that goes away. A test ends the
 * program, and what it did not end is ended after it.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { unreadable } from './contrast.js';
import { Emulator, type Modes, type Run } from './emulator.js';
import { cleanEnv, PROGRAM, removeTree, type TestPlace } from './harness.js';

export { type Modes, ORDINARY, type Run } from './emulator.js';

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 140, rows: 40 },
] as const;
const PATIENCE_MS = 60_000;
const TERM = 'xterm-256color';

export interface ScreenOptions {
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
  cwd?: string;
  /** `closed`: the program has no terminal to read keys from. */
  stdin?: 'terminal' | 'closed';
}

/** What to wait for on the screen: text in one row, or a condition. */
export type Sight = string | RegExp | ((screen: { lines: readonly string[] }) => boolean);

/** Places of the tests that are running, and their screens. */
const started: Screen[] = [];

/** As `placeForEach`, but the path is as long on every machine, so that what is cut or wrapped is, too. */
export function screenPlace(): TestPlace {
  const children: ChildProcess[] = [];
  let path = '';
  beforeEach(() => {
    path = mkdtempSync('/tmp/screen-');
  });
  afterEach(() => {
    for (const screen of started.splice(0)) screen.kill();
    for (const child of children.splice(0)) child.kill('SIGKILL');
    removeTree(path);
  });
  return {
    get path() {
      return path;
    },
    get root() {
      return join(path, 'root');
    },
    children,
  };
}

/** Milliseconds since the epoch, a duration ago. The age stays the same for half a unit: `ago(3, 'h')` shows `3h30m`. */
export function ago(count: number, unit: 'h' | 'd'): number {
  const milliseconds = unit === 'h' ? 3_600_000 : 86_400_000;
  // The age is written in two units: half of the smaller one is time enough for a test.
  const half = unit === 'h' ? 30_000 : 1_800_000;
  return Date.now() - count * milliseconds - milliseconds / 2 - half;
}

/**
 * Runs the program in the foreground of a shell with job control, as a person does. `status` and `modes` of the end
 * are known after `ended`.
 */
const DRIVER = `
trap : HUP INT TERM QUIT TSTP
ulimit -c 0
cd "$PLACE"
stty sane rows "$ROWS" cols "$COLS"
stty -g >before
tty >tty
set -m
start() { (cd "$CWD" || exit; echo $BASHPID >"$PLACE/pid"; unset PLACE ROWS COLS CWD; exec "$@"); }
# No loop: a program that is stopped in one ends it. Not 2>/dev/null: by stderr, the shell gives the terminal away.
wait_for_fg() {
  # By SIGSTOP to SIGTTOU.
  [ $status -ge 147 ] && [ $status -le 150 ] || return
  stty -g >stopped.new; mv stopped.new stopped
  printf '\\033]777;stopped\\007'
  read -r _
  rm stopped
  fg >/dev/null
  status=$?
  wait_for_fg
}
start "$@"
status=$?
wait_for_fg
stty -g >after
echo $status >status.new; mv status.new status
`;

/** What the shell writes when the program is stopped: no terminal shows it, and all that the program wrote is before it. */
const STOPPED = '\u001b]777;stopped\u0007';

export class Screen {
  /** All bytes that the program wrote to the terminal. */
  output = '';
  /** Resolves to the exit code of the program, as a shell shows it, when its last output is on the screen. */
  readonly ended: Promise<number>;
  readonly #emulator: Emulator;
  readonly #child: ChildProcess;
  readonly #place: string;
  #written: Promise<void> = Promise.resolve();
  #over = false;
  #stops = 0;

  constructor(args: readonly string[], options: ScreenOptions) {
    const { columns = 80, rows = 24, cwd = '/', env = {}, stdin = 'terminal' } = options;
    this.#place = mkdtempSync('/tmp/screen-driver-');
    this.#emulator = new Emulator(columns, rows);
    writeFileSync(join(this.#place, 'driver'), DRIVER);
    const words = [process.execPath, PROGRAM, ...args].map(quoted).join(' ');
    const line = `exec bash ${this.#place}/driver ${stdin === 'closed' ? 'bash -c \'exec "$@" </dev/null\' - ' : ''}${words}`;
    this.#child = spawn('script', ['-qec', line, '/dev/null'], {
      env: {
        ...cleanEnv({ TERM, SHELL: '/bin/sh', ...env }),
        PLACE: this.#place,
        ROWS: String(rows),
        COLS: String(columns),
        CWD: cwd,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdin?.on('error', () => {});
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.output += bytes.toString('latin1');
      this.#written = this.#emulator.write(bytes);
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      this.#child.on('close', async () => {
        try {
          await this.#written;
          await this.#untilFile('status');
          this.#over = true;
          resolve(Number(this.#file('status')));
        } catch (error) {
          reject(error);
        }
      });
    });
    this.ended.catch(() => {});
    started.push(this);
  }

  get lines(): string[] {
    return this.#emulator.lines;
  }

  get past(): string[] {
    return this.#emulator.past;
  }

  get styled(): Run[] {
    return this.#emulator.styled;
  }

  get cursor(): { row: number; column: number } {
    return this.#emulator.cursor;
  }

  get modes(): Modes {
    return this.#emulator.modes;
  }

  /** The pid of the program. */
  get pid(): number {
    return Number(this.#file('pid'));
  }

  /** Whether the settings of the terminal (`stty`) are those from before the program: while it is stopped, or after. */
  get settingsKept(): boolean {
    const now = existsSync(join(this.#place, 'stopped')) ? 'stopped' : 'after';
    return this.#file('before') === this.#file(now);
  }

  /** The path of the terminal. */
  get tty(): string {
    return this.#file('tty');
  }

  /** The settings that the terminal has now. */
  get settings(): string {
    return execFileSync('stty', ['-F', this.tty, '-a'], { encoding: 'utf8' });
  }

  /** Resolves when the screen shows it. */
  async until(sight: Sight): Promise<void> {
    const sees = condition(sight);
    for (const end = Date.now() + PATIENCE_MS; ; await sleep(5)) {
      if (sees(this)) return;
      const why = this.#over ? 'the program ended' : Date.now() > end ? 'it never came' : undefined;
      if (why !== undefined) throw new Error(`${why}: ${sight}\n${this.lines.join('\n')}`);
    }
  }

  /** Types what a terminal sends for the keys, such as `\u001b[B` for the arrow down. */
  type(keys: string | Uint8Array): void {
    this.#child.stdin?.write(keys);
  }

  /** Changes the size of the window: the terminal does it first, then the kernel tells the program. */
  resize(columns: number, rows: number): void {
    this.#emulator.resize(columns, rows);
    execFileSync('stty', ['-F', this.#file('tty'), 'rows', String(rows), 'cols', String(columns)]);
  }

  /** Gives the terminal the settings from before the program, as a shell does that edits a line. */
  reset(): void {
    execFileSync('stty', ['-F', this.#file('tty'), this.#file('before')]);
  }

  /** Sends a signal to the program alone. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Resolves when the program is stopped and the shell has the terminal. */
  async stopped(): Promise<void> {
    await this.#untilFile('stopped');
    this.#stops += 1;
    for (
      const end = Date.now() + PATIENCE_MS;
      this.output.split(STOPPED).length <= this.#stops;
      await sleep(5)
    ) {
      if (Date.now() > end) throw new Error('the shell did not get the terminal');
    }
    await this.#written;
  }

  /** What the shell's `fg` does. */
  async foreground(): Promise<void> {
    this.type('\n');
    for (const end = Date.now() + PATIENCE_MS; existsSync(join(this.#place, 'stopped')); await sleep(5)) {
      if (Date.now() > end) throw new Error('the program was not continued');
    }
  }

  /** The terminal takes nothing more, as a window that is frozen. What the program wrote is not seen any more. */
  freeze(): void {
    this.#child.stdout?.pause();
  }

  /** The window is closed, or the network is gone: the terminal is no more. The shell gets SIGHUP, the program none. */
  vanish(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends all that is left of it. */
  kill(): void {
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    this.#child.kill('SIGKILL');
    // The shell may be writing there for a moment yet.
    removeTree(this.#place);
  }

  #file(name: string): string {
    return readFileSync(join(this.#place, name), 'utf8').trim();
  }

  async #untilFile(name: string): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !existsSync(join(this.#place, name)); await sleep(5)) {
      if (Date.now() > end)
        throw new Error(`the program never was so far: ${name}\n${this.lines.join('\n')}`);
    }
  }
}

/** Starts the built program on a terminal and leaves it running. */
export function startScreen(args: readonly string[], options: ScreenOptions = {}): Screen {
  return new Screen(args, options);
}

/** Wait for something, then type. */
export interface Step {
  see: Sight;
  type?: string;
}

export interface GoldenOptions extends Omit<ScreenOptions, 'columns' | 'rows'> {
  /** If not those of all screens. */
  sizes?: readonly { columns: number; rows: number }[];
  /** For a program that does not end by itself. */
  steps?: readonly Step[];
  /**
   * What changes from one time to the next, such as a clock, and the character that is shown instead of each of its; or a
   * longer text that is shown instead of the whole, at the end of a line.
   */
  normalise?: readonly (readonly [RegExp, string])[];
}

/** See the top of this file. */
export async function expectScreens(
  name: string,
  args: readonly string[],
  options: GoldenOptions = {},
): Promise<void> {
  for (const size of options.sizes ?? SIZES) {
    const screen = startScreen(args, { ...options, ...size });
    if (options.steps === undefined) await screen.ended;
    for (const step of options.steps ?? []) {
      await screen.until(step.see);
      if (step.type !== undefined) screen.type(step.type);
    }
    const file = `screens/${name}.${size.columns}x${size.rows}.txt`;
    await expect(goldenOf(screen, size, options)).toMatchFileSnapshot(file);
    expect(screen.styled.map(unreadable).filter((why) => why !== undefined)).toEqual([]);
    const lines = normalised(screen.lines, options);
    screen.kill();
    expect(await linesInTmux(args, { ...options, ...size }, lines)).toEqual(lines);
  }
}

/** The rows between two rulers, the cursor, and what is not plain. */
function goldenOf(screen: Screen, { columns }: { columns: number }, options: GoldenOptions): string {
  const ruler = '-'.repeat(columns);
  const { row, column } = screen.cursor;
  const { alternateScreen, cursorVisible, wraps } = screen.modes;
  const modes = [
    `cursor ${row},${column}`,
    ...(cursorVisible ? [] : ['hidden']),
    ...(alternateScreen ? ['alternate screen'] : []),
    ...(wraps ? [] : ['no wrapping']),
  ];
  const styled = screen.styled.map((run) => {
    const { foreground, background, ...flags } = run;
    const look = [
      foreground,
      background && `on ${background}`,
      ...(['bold', 'dim', 'italic', 'underline', 'inverse'] as const).filter((each) => flags[each]),
    ];
    return `${run.row},${run.column} ${look.filter((each) => each !== undefined).join(' ')}: ${run.text.trimEnd()}`;
  });
  const text = normalised(styled, options);
  return `${[ruler, ...normalised(screen.lines, options), ruler, modes.join(', '), ...text].join('\n')}\n`;
}

/** Without the blanks at the ends of rows, such as that after a question: tmux does not tell them. */
function normalised(lines: readonly string[], { normalise = [] }: GoldenOptions): string[] {
  return lines.map((line) => {
    let text = line.replace(/\/tmp\/screen-\w{6}/g, '/tmp/screen-XXXXXX');
    for (const [pattern, character] of normalise) {
      text = text.replace(pattern, (found) =>
        character.length === 1 ? character.repeat(found.length) : character,
      );
    }
    return text.trimEnd();
  });
}

function condition(sight: Sight): (screen: { lines: readonly string[] }) => boolean {
  if (typeof sight === 'function') return sight;
  return ({ lines }) =>
    lines.some((line) => (typeof sight === 'string' ? line.includes(sight) : sight.test(line)));
}

let hasTmux: boolean | undefined;

function tmuxIsHere(): boolean {
  if (hasTmux === undefined) {
    hasTmux = spawnSync('tmux', ['-V']).status === 0;
    if (!hasTmux) console.warn('tmux is not installed: screens are compared with those of one terminal only');
  }
  return hasTmux;
}

/**
 * The rows that tmux shows, as soon as they are the expected ones, or else after a while. Without tmux: the expected
 * ones.
 */
async function linesInTmux(
  args: readonly string[],
  options: GoldenOptions & { columns: number; rows: number },
  expected: readonly string[],
): Promise<readonly string[]> {
  if (!tmuxIsHere()) return expected;
  const { columns, rows, cwd = '/', env = {}, steps = [] } = options;
  const place = mkdtempSync('/tmp/screen-tmux-');
  const tmux = (...words: string[]) =>
    execFileSync('tmux', ['-S', join(place, 'socket'), ...words], {
      encoding: 'utf8',
      cwd,
      env: cleanEnv({ TERM, SHELL: '/bin/sh', ...env }),
    });
  const capture = () => {
    const lines = tmux('capture-pane', '-p').split('\n').slice(0, rows);
    return { lines: lines.map((line) => line.trimEnd()) };
  };
  const wait = async (sees: (screen: { lines: string[] }) => boolean, patience: number) => {
    for (const end = Date.now() + patience; Date.now() < end && !sees(capture()); ) await sleep(20);
  };
  try {
    writeFileSync(join(place, 'conf'), 'set -g status off\nset -g default-terminal screen-256color\n');
    const words = [process.execPath, PROGRAM, ...args].map(quoted).join(' ');
    // It stays for a while after the end of the program, so that its screen can be seen.
    const line = `${words}; exec sleep 600`;
    const size = ['-x', String(columns), '-y', String(rows)];
    tmux('-u', '-f', join(place, 'conf'), 'new-session', '-d', ...size, '-c', cwd, line);
    for (const { see, type } of steps) {
      await wait(condition(see), PATIENCE_MS);
      if (type !== undefined) tmux('send-keys', '-l', type);
    }
    const wanted = expected.join('\n');
    await wait(({ lines }) => normalised(lines, options).join('\n') === wanted, PATIENCE_MS);
    return normalised(capture().lines, options);
  } finally {
    spawnSync('tmux', ['-S', join(place, 'socket'), 'kill-server']);
    removeTree(place);
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
