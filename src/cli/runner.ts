import { resolve } from 'node:path';
import { containerizerAt } from '../app/containerizer.js';
import { runUnseen } from '../app/run.js';
import { runSpec } from '../app/run-spec.js';
import { ConfigError } from '../config/program.js';
import { executorSandbox } from '../discovery/roots.js';
import { describeErrno, ThermosError } from '../errors/errors.js';
import { RUNNER_EXIT } from '../errors/exit-codes.js';
import { REPORT_DIRECTORY } from '../layout/report-paths.js';
import { prepareRun } from './config.js';
import { coordinatorPrograms } from './programs.js';
import { type RunFlags, runOptions } from './run-flags.js';
import { RunnerControl } from './runner-control.js';
import { runnerExitOf } from './runner-exit.js';
import type { RunnerFlags } from './runner-flags.js';
import { levelOf, RunnerLog } from './runner-log.js';
import { startPage } from './start-page.js';
import type { Terminal } from './terminal.js';

/** As in the original; only its command line sets no limit. */
const MAX_RUNS = 100;

/** An executor waits for the end of its runner, and stays for five seconds after it: the last page goes on meanwhile. */
const LAST_PAGE_MS = 2000;

/** Runs a task to its end for an executor. Resolves to the exit code that the executor expects. */
export async function serveExecutor(
  flags: RunnerFlags,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const log = new RunnerLog({
    directory: flags['log-dir'] === undefined ? undefined : resolve(flags['log-dir']),
    disk: levelOf('--log-to-disk', flags['log-to-disk']),
    stderr: levelOf('--log-to-stderr', flags['log-to-stderr']),
    pid: process.pid,
    now: () => new Date(terminal.now()),
    writeError: (text) => terminal.writeError(text),
  });
  const fail = (error: unknown): number => {
    const exitCode = runnerExitOf(error);
    report(error, exitCode, log);
    return exitCode;
  };
  process.prependListener('uncaughtException', (error) => process.exit(fail(error)));
  log.write('INFO', `thermos-runner ${argv.join(' ')}`);
  try {
    const state = await runFor(flags, log, terminal);
    log.write('INFO', `the task has ended ${state}`);
    return RUNNER_EXIT.over;
  } catch (error) {
    return fail(error);
  }
}

async function runFor(flags: RunnerFlags, log: RunnerLog, terminal: Terminal): Promise<string> {
  const { setuid: user, 'mesos-containerizer-path': path, 'container-sandbox': sandbox } = flags;
  const config = { port: flags.port, 'task-id': flags['task-id'], user };
  const prepared = await prepareRun(flags['thermos-json'], config, terminal, { onlyJson: true });
  for (const problem of prepared.problems) log.problem(problem);
  const spec = runSpec(
    prepared,
    runOptions({ ...withoutZeros(flags), ...ownPlaces(flags), user, 'max-runs': MAX_RUNS }),
  );
  if (path !== undefined && sandbox !== undefined)
    spec.settings.containerizer = containerizerAt({ path, sandbox, directory: process.env.MESOS_DIRECTORY });
  // A signal that has come while all this was loaded still ends the program.
  await new Promise((resolve) => setImmediate(resolve));
  const { state } = await runUnseen(spec, {
    now: () => terminal.now(),
    coordinator: coordinatorPrograms(),
    console: { stdout: 1, stderr: 2 },
    control: (notice) => new RunnerControl(notice),
    notice: (text) => log.write('INFO', text),
    events: {
      record: (record) => log.record(record),
      problem: (problem) => log.problem(problem),
      note: (text) => log.write('DEBUG', text),
    },
    startPage,
    lastPageMs: LAST_PAGE_MS,
  });
  return state;
}

/** The root is given; the page of the task is beside its sandbox, as with `run`. */
function ownPlaces(flags: RunnerFlags): Pick<RunFlags, 'root' | 'report-dir'> {
  const sandbox = executorSandbox({ env: process.env, cwd: process.cwd() });
  const page = sandbox === undefined ? undefined : `${sandbox}/${REPORT_DIRECTORY}`;
  return { root: [flags['checkpoint-root']], 'report-dir': flags['report-dir'] ?? page };
}

/** Zero means the default, as in the original. */
function withoutZeros(flags: RunnerFlags): RunnerFlags {
  const { 'rotate-log-size-mb': size, 'rotate-log-backups': backups } = flags;
  return { ...flags, 'rotate-log-size-mb': size || undefined, 'rotate-log-backups': backups || undefined };
}

function report(error: unknown, exitCode: number, log: RunnerLog): void {
  if (exitCode === RUNNER_EXIT.over) {
    log.write('INFO', describeErrno(error));
    return;
  }
  if (error instanceof ThermosError) {
    for (const problem of error.problems) log.problem(problem);
    const hint = error instanceof ConfigError || error.hint === undefined ? '' : ` (${error.hint})`;
    log.write('ERROR', `${error.message}${hint}`);
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    for (const line of `this is a bug in thermos: ${text}`.split('\n')) log.write('ERROR', line);
  }
}
