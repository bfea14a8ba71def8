import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../errors/exit-codes.js';
import { onSignal } from '../host/ignored-signals.js';
import { processRow, processTable } from '../host/process-table.js';
import { screenRows } from '../text/width.js';
import type { Terminal } from './terminal.js';

/** A program that shows text page by page. */
export interface Pager {
  /** A line for the shell, as the user wrote it; undefined for less, which need not be installed. */
  readonly line: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The pager that the environment asks for, as git does it, else a file of defaults; undefined if they ask for none. `isRoot`: less must not become
 * a root shell for users whom sudo lets run only this program.
 */
export function pagerOf(env: NodeJS.ProcessEnv, isRoot: boolean, byDefault?: string): Pager | undefined {
  const line = env.THERMOS_PAGER ?? env.PAGER ?? byDefault;
  if (line !== undefined && (line.trim() === '' || line.trim() === 'cat')) return undefined;
  const secure = isRoot ? { LESSSECURE: '1' } : {};
  return { line, env: { LESS: 'FRX', LV: '-c', ...secure, ...env } };
}

/**
 * Shows text on the terminal, in the pager if it is longer, and resolves when the pager has ended. A pager that cannot
 * be started is replaced by plain output.
 */
export async function showOnTerminal(
  text: string,
  terminal: Terminal,
  pager: Pager | undefined,
): Promise<void> {
  // The next prompt of the shell takes a row, too.
  const fits = screenRows(text, terminal.style(1).width ?? 80) < terminal.rows;
  if (pager !== undefined && !fits) {
    terminal.handOver();
    if (await page(text, pager)) return;
  }
  terminal.write(text);
}

/** The shell neither ends nor stops by the keys that are for the pager; it waits for it. */
const SHELL_WAITS = 'trap : INT QUIT TSTP';

/** Shells exit with these if they cannot run a program. */
const NOT_STARTED = [126, 127];

/** Resolves to false if the pager could not be started. */
async function page(text: string, { line, env }: Pager): Promise<boolean> {
  const stdio: ['pipe', 'inherit', 'inherit'] = ['pipe', 'inherit', 'inherit'];
  // Our own less gets -R in addition to the options of the user: without it, it shows colours as codes.
  const signals = new PagerSignals();
  let child: ChildProcessByStdio<Writable, null, null> | undefined;
  try {
    child =
      line === undefined
        ? spawn('less', ['-R'], { env, stdio })
        : spawn('/bin/sh', ['-c', `${SHELL_WAITS}\n${line}`], { env, stdio });
    signals.pager = child;
    // If the pager ends before it has read everything, the rest is not wanted.
    child.stdin.on('error', () => {});
    child.stdin.end(text);
    const isShown = await Promise.race([ended(child), signals.gaveUp]);
    await signals.afterEnd(child);
    return isShown;
  } finally {
    child?.stdin.destroy();
    signals.close();
  }
}

function ended(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === null || !NOT_STARTED.includes(code)));
  });
}

/** How long a pager may take to end or to stop after a signal; then we end without it, or do not stop. Milliseconds. */
const TO_END_MS = 3000;
const TO_STOP_MS = 500;
/** How much later than its end a signal to both may be noticed. */
const TO_KNOW_MS = 100;
const LOOK_MS = 5;

/**
 * What signals do while the pager has the terminal, which it restores before it ends or stops. So we end and stop after
 * it. It listens before the pager starts, which can be seen, and signalled, before we go on. What keys send goes to both, and ends or stops the pager or does not: Ctrl-C ends a search of less.
 */
class PagerSignals {
  /** Undefined until it has started: no handler runs before. */
  pager: ChildProcess | undefined;
  readonly #handlers: readonly [NodeJS.Signals, () => void][];
  #interrupted = false;
  #signal: NodeJS.Signals | undefined;
  #timer: NodeJS.Timeout | undefined;
  #giveUp: (shown: boolean) => void = () => {};
  readonly gaveUp = new Promise<boolean>((resolve) => {
    this.#giveUp = resolve;
  });

  constructor() {
    this.#handlers = [
      ['SIGINT', () => (this.#interrupted = true)],
      ['SIGQUIT', () => {}],
      ['SIGTERM', () => this.#end('SIGTERM')],
      ['SIGHUP', () => this.#end('SIGHUP')],
      ['SIGTSTP', () => this.#stop()],
    ];
    for (const [signal, handler] of this.#handlers) onSignal(signal, handler);
  }

  /**
   * To be called when the pager has ended. If Ctrl-C ended it, or the shell that runs it, then it ends us too, and our
   * caller sees that. Ctrl-C reaches us and the pager at the same time, but its end may be known first.
   */
  async afterEnd({ exitCode, signalCode }: ChildProcess): Promise<void> {
    if (signalCode !== 'SIGINT' && exitCode !== EXIT.interrupted) return;
    for (let waited = 0; !this.#interrupted && waited < TO_KNOW_MS; waited += LOOK_MS) await sleep(LOOK_MS);
    if (this.#interrupted) this.#signal ??= 'SIGINT';
  }

  /** Afterwards signals have their usual effect, also one that came in the meantime. */
  close(): void {
    clearTimeout(this.#timer);
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    if (this.#signal !== undefined) process.kill(process.pid, this.#signal);
  }

  #end(signal: NodeJS.Signals): void {
    this.#signal = signal;
    // less does not restore the terminal on SIGHUP.
    for (const pid of this.#pagers()) send(pid, 'SIGTERM');
    this.#timer ??= setTimeout(() => this.#giveUp(true), TO_END_MS);
  }

  /** A pager that does not stop, such as the less of root, keeps the terminal, and so do we. */
  #stop(): void {
    const pagers = this.#pagers();
    for (const pid of pagers) send(pid, 'SIGTSTP');
    const end = performance.now() + TO_STOP_MS;
    const look = () => {
      const states = pagers.map((pid) => processRow(pid)?.state).filter((state) => state !== undefined);
      if (states.length === 0) return;
      if (states.every((state) => state === 'T')) process.kill(process.pid, 'SIGSTOP');
      else if (performance.now() < end) setTimeout(look, LOOK_MS);
    };
    look();
  }

  /** A shell may run the pager, and would end before it: then what it started. */
  #pagers(): number[] {
    const pid = this.pager?.pid;
    if (pid === undefined) return [];
    const found = [pid];
    const rows = processTable();
    for (const parent of found) for (const row of rows) if (row.parent === parent) found.push(row.pid);
    return found.length === 1 ? found : found.slice(1);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
