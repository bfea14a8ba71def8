import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type ExecOptions, type ExecTarget, execTarget, LOCAL_MACHINE } from '../app/exec.js';
import { describeErrno, errnoOf, SystemError, UsageError } from '../errors/errors.js';
import { EXEC_EXIT, exitBySignal } from '../errors/exit-codes.js';
import type { Problem } from '../errors/problem.js';
import { isShortage } from '../errors/shortage.js';
import { isForThisMachine } from '../host/executable.js';
import { onSignal } from '../host/ignored-signals.js';
import { settingsOf } from '../host/process-settings.js';
import { processRow } from '../host/process-table.js';
import { presenceOf } from '../store/look.js';
import { coordinatorPrograms } from './programs.js';
import type { Terminal } from './terminal.js';

/** The first argument of the program in C that asks it to run a command; see src/coordinator/exec.h. */
const EXEC_WORD = '--exec';

/** What is used if no command is given; the program in C has the same. */
const SHELLS = ['bash', 'sh'];

/** What is shown before the command has the terminal. */
export interface ExecNotices {
  report(problems: readonly Problem[]): void;
  notice(text: string): void;
}

/**
 * Runs a command beside a process of a task, with our own stdin, stdout and stderr, and resolves to its exit code. Without
 * words, it is a shell. Rejects as `execTarget`, and with SystemError `install-incomplete` if it needs the program in C.
 */
export async function execCommand(
  options: ExecOptions,
  words: readonly string[],
  terminal: Terminal,
  { report, notice }: ExecNotices,
): Promise<number> {
  const target = execTarget(options, LOCAL_MACHINE);
  report(target.problems);
  if (target.notice !== undefined) notice(target.notice);
  const native = nativeProgram();
  if (native !== undefined) {
    const mode = options.namespaces ? 'enter' : 'stay';
    const who = [target.pid, target.startTimeTicks, target.uid].map(String);
    const args = [EXEC_WORD, ...who, mode, ...words];
    try {
      return await endOf(() =>
        spawn(native, args, { stdio: 'inherit', cwd: '/', env: added(target, terminal) }),
      );
    } catch (error) {
      // It was not started.
      if (isShortage(error)) throw error;
      if (errnoOf(error) === 'E2BIG') throw new UsageError('usage', 'the command line is too long');
    }
  }
  if (LOCAL_MACHINE.euid === 0) throw lacking();
  notice(
    'the program in C cannot be used here: the command has the limits of thermos, not those of the process',
  );
  return await runPlainly(target, words, terminal);
}

function nativeProgram(): string | undefined {
  const { native } = coordinatorPrograms();
  return native !== undefined && isForThisMachine(native) ? native : undefined;
}

/** Root's terminal, groups and capabilities are kept from the command by the program in C alone. */
function lacking(): SystemError {
  return new SystemError(
    'install-incomplete',
    'root needs the program in C (dist/coordinator), which cannot be executed here',
    'build it with a C compiler: npm rebuild; or run the command as the user of the task: sudo -u USER thermos exec …',
  );
}

/** Variables that the command has beside those of the process. */
function added({ ports }: ExecTarget, terminal: Terminal): Record<string, string> {
  const { TERM } = process.env;
  const has = terminal.stdinIsTerminal || terminal.stdoutIsTerminal || terminal.stderrIsTerminal;
  return has && TERM ? { ...ports, TERM } : ports;
}

/** As the user of the process, without the program in C. */
async function runPlainly(target: ExecTarget, words: readonly string[], terminal: Terminal): Promise<number> {
  const { environment, cwd, umask } = settingsOf(target.pid);
  if (processRow(target.pid)?.startTimeTicks !== target.startTimeTicks) {
    terminal.writeError(`thermos: process ${target.pid} of the task has ended\n`);
    return EXEC_EXIT.failed;
  }
  if (umask !== undefined) process.umask(umask);
  const variables = added(target, terminal);
  const env: Record<string, string> = { ...variables, ...environment };
  if (variables.TERM !== undefined) env.TERM = variables.TERM;
  const [command, ...args] = words;
  const programs = command === undefined ? SHELLS : [command];
  for (const [i, program] of programs.entries()) {
    try {
      return await endOf(() => spawn(program, args, { stdio: 'inherit', cwd, env }));
    } catch (error) {
      const isMissing = errnoOf(error) === 'ENOENT' || isNowhere(program, env.PATH);
      if (isMissing && i < programs.length - 1) continue;
      const why = isMissing ? 'no such file or directory' : describeErrno(error);
      terminal.writeError(`thermos: ${program}: ${why}\n`);
      return isMissing ? EXEC_EXIT.notFound : EXEC_EXIT.notExecutable;
    }
  }
  return EXEC_EXIT.failed;
}

/** A directory of PATH that may not be searched says nothing about a command elsewhere. */
function isNowhere(program: string, path = ''): boolean {
  return (
    !program.includes('/') &&
    path
      .split(':')
      .every((directory) => !['directory', 'other'].includes(String(presenceOf(join(directory, program)))))
  );
}

/** Keys reach the command directly, and it decides what they do to it: it must not outlive us. */
const FROM_KEYS = ['SIGINT', 'SIGQUIT'] as const;
const PASSED_ON = ['SIGTERM', 'SIGHUP'] as const;

/** Resolves to the exit code of a child; rejects with the system error if it cannot be started. */
async function endOf(start: () => ChildProcess): Promise<number> {
  let child: ChildProcess | undefined;
  // Before the start: a signal that comes as soon as the child is seen would end us, and leave it alone.
  for (const signal of FROM_KEYS) onSignal(signal, () => {});
  for (const signal of PASSED_ON) onSignal(signal, () => child?.kill(signal));
  const started = start();
  child = started;
  return new Promise((resolve, reject) => {
    started.once('error', reject);
    started.once('exit', (code, signal) =>
      resolve(code ?? exitBySignal(constants.signals[signal as NodeJS.Signals])),
    );
  });
}
