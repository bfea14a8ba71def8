import { isLiveProcessState, isTerminalTaskState } from '../checkpoint/records.js';
import { rootFlagsOf, thermosCommand } from '../discovery/advised-command.js';
import type { ProcessInfo } from '../host/host.js';
import { mayPrecede, startsAgree } from '../host/start-time.js';
import { LAYOUTS } from '../layout/layouts.js';
import { REASONS } from '../layout/reasons.js';
import { RUNNER } from '../layout/task-paths.js';
import type { TaskView } from '../task/view.js';
import { duration, timestamp } from '../text/age.js';
import { counted } from '../text/count.js';
import { checkFiles, gcAdvice, recordsAdvice, streamOf } from './check-files.js';
import type { CommandAdvice, FindingEvidence, Symptom } from './finding.js';

type ProbedProcess = Pick<ProcessInfo, 'state' | 'command' | 'startTimeMs' | 'startTimeTicks'>;

/** What a task is compared with on this host. */
export interface HostProbe {
  /** Milliseconds since the epoch. */
  now: number;
  bootTimeMs: number | undefined;
  hostname: string;
  /** The process with a pid, if there is one. */
  process: (pid: number) => ProbedProcess | undefined;
  /** The exact start of the runner that the stream names, in ticks since boot, if it is known. */
  runnerStart: (view: TaskView) => number | 'earlier-boot' | undefined;
  /** False in a container: locks of other pid namespaces are hidden there. */
  seesLocks: boolean;
  /** Whether this host has such a user. */
  knowsUser: (name: string) => boolean;
  /** Whether the directory certainly does not exist; false if that is unknown. */
  isAbsent: (path: string) => boolean;
}

/** The clocks of one machine agree; a stream that was copied here has times of another machine's clock. */
const CLOCK_TOLERANCE_MS = 60_000;
/** The latest say most. */
const MOST_REASONS = 3;
/** A clock that is merely wrong is not off by more than this. */
const ABSURD_MS = 10 * 365 * 86_400_000;

/** Finds what is wrong with one task, as far as this host can tell. A task that failed is not a fault of the host. Pure. */
export function* checkTask(view: TaskView, host: HostProbe): Generator<Symptom> {
  yield* checkRunner(view, host);
  yield* checkCoordinators(view, host);
  yield* checkLeftovers(view, host);
  yield* checkNamespace(view);
  yield* checkSandbox(view, host);
  yield* checkClock(view, host);
  yield* checkFiles(view, host.now);
}

function* checkRunner(view: TaskView, host: HostProbe): Generator<Symptom> {
  const { verdict, state, task_id, runner, silent_since_ms } = view;
  const pid = runner?.pid;
  if (verdict === 'ok' && runner?.alive === true && pid !== undefined) {
    const process = host.process(pid);
    // Another process may hold the lock, and the pid may have been reused.
    if (process?.state !== 'T' || !isRunner(process, view, host)) return;
    yield {
      code: 'runner-stopped',
      severity: 'error',
      what: (count) =>
        `the runners of ${counted(count, 'task')} are stopped by a signal: nothing is started or recorded`,
      evidence: [{ path: `/proc/${pid}/stat`, text: `pid ${pid} (${process.command}) is in state T` }],
      advice: [signalAdvice('resume it', [pid], '-CONT')],
      task_id,
    };
    return;
  }
  if (verdict !== 'runner-gone' && verdict !== 'host-rebooted') return;
  const silent =
    silent_since_ms === undefined ? '' : `, last written ${duration(host.now - silent_since_ms)} ago`;
  const path = streamOf(view);
  if (isTerminalTaskState(state)) {
    yield {
      code: 'task-not-moved',
      severity: 'warning',
      what: (count) =>
        `${counted(count, 'task')} ended, but the runner died before it moved the task file to tasks/finished`,
      evidence: [{ path: view.found.task_file ?? path, text: `the stream says ${state}${silent}` }],
      advice: [gcAdvice(view, 'gc moves it, and collects it by its age')],
      task_id,
    };
    return;
  }
  const certain = host.seesLocks || verdict === 'host-rebooted';
  yield {
    code: 'runner-dead',
    severity: certain ? 'error' : 'warning',
    cause: verdict,
    what: (count) =>
      verdict === 'host-rebooted'
        ? `${counted(count, 'task')} recorded as running, but the host was rebooted since`
        : `${counted(count, 'task')} recorded as running, but no runner is alive`,
    evidence: [runnerEvidence(view, path, silent, host), ...reasonEvidence(view)],
    advice: [
      ...(certain ? [] : ['run it on the host itself, outside containers']),
      ...deadRunnerAdvice(view),
    ],
    task_id,
  };
  yield* checkUser(view, host);
}

/** A restart holds the coordinator of the run that it ends; if the restart is killed, it stays held. */
function* checkCoordinators({ verdict, processes, task_id }: TaskView, host: HostProbe): Generator<Symptom> {
  if (verdict === 'foreign-pids' || verdict === 'unknown') return;
  for (const { process, state, coordinator_pid: pid, fork_time } of processes) {
    if (!isLiveProcessState(state) || pid === undefined || fork_time === undefined) continue;
    const found = host.process(pid);
    if (found?.state !== 'T' || !startsAgree(found.startTimeMs, fork_time * 1000)) continue;
    yield {
      code: 'coordinator-stopped',
      severity: 'warning',
      what: (count) =>
        `the coordinators of processes of ${counted(count, 'task')} are stopped by a signal: how these processes end is not recorded`,
      evidence: [
        {
          path: `/proc/${pid}/stat`,
          text: `pid ${pid} (${found.command}), of process ${process}, is in state T`,
        },
      ],
      advice: [signalAdvice('continue it, unless a restart of the process is under way', [pid], '-CONT')],
      task_id,
    };
  }
}

/** Is the process with the pid of the runner the runner? */
function isRunner({ startTimeTicks, startTimeMs }: ProbedProcess, view: TaskView, host: HostProbe): boolean {
  const exact = host.runnerStart(view);
  if (exact !== undefined) return startTimeTicks === exact;
  const recorded = asNumber(view.state_timestamp_ms);
  return recorded !== undefined && mayPrecede(startTimeMs, recorded);
}

/** What the runner, or who ended the task, knew when it happened. */
function reasonEvidence({ reasons, found }: TaskView): FindingEvidence[] {
  const ofTask = reasons.filter(({ process }) => process === undefined).slice(-MOST_REASONS);
  const path = `${found.checkpoint_dir}/${REASONS}`;
  return ofTask.map(({ code, message, time_ms }) => ({
    path,
    text: `${timestamp(time_ms)}: ${message} (${code})`,
  }));
}

function runnerEvidence(
  { verdict, state, runner, state_timestamp_ms, hostname }: TaskView,
  path: string,
  silent: string,
  host: HostProbe,
): FindingEvidence {
  const who = runner?.pid === undefined ? 'a runner' : `runner ${runner.pid}`;
  const why =
    verdict === 'host-rebooted'
      ? `host started at ${timestamp(host.bootTimeMs)}`
      : host.seesLocks
        ? 'nobody holds the lock on the stream'
        : 'it has no process here, and locks of other pid namespaces are hidden';
  const where = hostname === undefined || hostname === host.hostname ? '' : ` on ${hostname}`;
  return { path, text: `${state} by ${who}${where} since ${timestamp(state_timestamp_ms)}; ${why}${silent}` };
}

function deadRunnerAdvice(view: TaskView): Symptom['advice'] {
  const { layout, leftovers } = view;
  const alive =
    leftovers.length > 0 ? ['its processes continue without it: they are ended with the task'] : [];
  if (LAYOUTS[layout].ownsSandboxes) {
    return [
      'the agent reports the task LOST and removes the sandbox when it sees that the executor is gone: is the agent running?',
      gcAdvice(view, 'gc marks it LOST in its own stream once it has been silent for --orphan-age (1h)'),
      ...alive,
    ];
  }
  return [
    resumeAdvice(view),
    gcAdvice(view, 'to give it up, once it has been silent for --orphan-age (1h)'),
    ...alive,
  ];
}

/** The task file is a config, unless a command line has a tag that is not to be replaced. A command runs one task. */
function resumeAdvice({ root, task_id, found, config }: TaskView): CommandAdvice {
  const { task_file } = found;
  const again = task_file !== undefined && config !== undefined && !JSON.stringify(config.raw).includes('{{');
  const file = again ? task_file : 'CONFIG';
  return {
    text: again ? 'to resume it' : 'to resume it, with the config that it was started with',
    names: [task_id],
    most: 1,
    command: (ids) => {
      const identity = ids.flatMap((id) => ['--task-id', id]);
      return thermosCommand(['run', ...identity], rootFlagsOf(root), ids.length === 0 ? [] : [file]);
    },
  };
}

/** To signal processes. */
function signalAdvice(text: string, pids: readonly number[], ...options: string[]): CommandAdvice {
  return { text, names: pids.map(String), command: (names) => ['kill', ...options, ...names].join(' ') };
}

/** The original's runner exits silently, and leaves the task active, if the user does not exist. */
function* checkUser(
  { header, task_id, hostname, processes, found }: TaskView,
  host: HostProbe,
): Generator<Symptom> {
  const user = header?.user;
  // Old streams have neither a uid nor a log directory.
  if (
    !user ||
    header?.uid !== undefined ||
    header?.log_dir === undefined ||
    hostname !== host.hostname ||
    host.knowsUser(user)
  )
    return;
  if (processes.some(({ pid }) => pid !== undefined)) return;
  yield {
    code: 'user-unknown',
    severity: 'error',
    cause: user,
    what: (count) =>
      `${counted(count, 'task')} could not start anything, because there is no user ${user} on this host`,
    evidence: [
      {
        path: `${found.checkpoint_dir}/${RUNNER}`,
        text: `the header names the user ${user}, and has no uid`,
      },
    ],
    advice: [`create the user ${user}, then start the task again`],
    task_id,
  };
}

function* checkLeftovers(view: TaskView, host: HostProbe): Generator<Symptom> {
  const { leftovers, state, task_id } = view;
  if (leftovers.length === 0 || !isTerminalTaskState(state)) return;
  yield {
    code: 'leftovers',
    severity: 'error',
    what: (count) => `${counted(count, 'task')} ended, but processes are still running`,
    evidence: leftovers.map((pid) => {
      const process = host.process(pid);
      return {
        path: `/proc/${pid}`,
        text: `pid ${pid}${process === undefined ? '' : ` (${process.command})`} of a task that is ${state}`,
      };
    }),
    advice: [
      {
        text: 'see what they are doing',
        names: leftovers.map(String),
        command: (pids) => `ps -fp ${pids.join(',')}`,
      },
      signalAdvice('then end them', leftovers),
    ],
    task_id,
  };
}

function* checkNamespace({ verdict, task_id, runner, found }: TaskView): Generator<Symptom> {
  if (verdict !== 'foreign-pids') return;
  yield {
    code: 'foreign-pids',
    severity: 'note',
    what: (count) =>
      `${counted(count, 'task')} in a pid namespace of its own (a container): the recorded pids mean nothing on this host`,
    evidence: [
      {
        path: `${found.checkpoint_dir}/${RUNNER}`,
        text: `recorded pid ${runner?.pid}; a process in another namespace holds the lock`,
      },
    ],
    advice: [
      'rely on the lock on the stream, and look at pids inside the container (nsenter -p, docker top)',
    ],
    task_id,
  };
}

function* checkSandbox(
  { sandbox, state, runner, task_id, verdict, root }: TaskView,
  host: HostProbe,
): Generator<Symptom> {
  if (sandbox === undefined || sandbox.found || isTerminalTaskState(state) || runner?.alive !== true) return;
  // A runner in a container may see directories that are hidden from us.
  if (verdict !== 'ok' || !sandbox.recorded.startsWith('/') || !host.isAbsent(sandbox.recorded)) return;
  yield {
    code: 'sandbox-gone',
    severity: 'error',
    what: (count) => `${counted(count, 'task')} running without a sandbox: it was removed`,
    evidence: [{ path: sandbox.recorded, text: 'recorded in the header, but missing' }],
    advice: [
      {
        text: 'end the task',
        names: [task_id],
        command: (ids) => thermosCommand(['kill'], rootFlagsOf(root), ids),
      },
    ],
    task_id,
  };
}

/** Times that are in the future on this machine's clock. */
function* checkClock(view: TaskView, host: HostProbe): Generator<Symptom> {
  const { task_id, hostname, silent_since_ms } = view;
  const latest = host.now + CLOCK_TOLERANCE_MS;
  const path = streamOf(view);
  const times: [string, number | undefined][] = [
    ['the launch of the task', asNumber(view.launch_time_ms)],
    [`the state ${view.state}`, asNumber(view.state_timestamp_ms)],
    ...view.processes.flatMap(
      ({ process, fork_time, start_time, stop_time }): [string, number | undefined][] => [
        [`the fork of ${process}`, inMs(fork_time)],
        [`the start of ${process}`, inMs(start_time)],
        [`the end of ${process}`, inMs(stop_time)],
      ],
    ),
    ['the last change of the file', silent_since_ms],
  ];
  const ahead = times.find(([, time]) => time !== undefined && Number.isFinite(time) && time > latest);
  if (ahead === undefined) return;
  const [event, time] = ahead as [string, number];
  const elsewhere = hostname !== undefined && hostname !== host.hostname;
  const text = `${event} is recorded at ${timestamp(time)}, in ${duration(time - host.now)}`;
  if (time - host.now > ABSURD_MS) {
    yield {
      code: 'checkpoint-times-odd',
      severity: 'warning',
      what: (count) => `${counted(count, 'task')} with impossible times: the stream is damaged or forged`,
      evidence: [{ path, text }],
      advice: [recordsAdvice('see its records', path, view.root)],
      task_id,
    };
    return;
  }
  yield {
    code: 'clock-skew',
    severity: 'warning',
    cause: elsewhere ? hostname : '',
    what: (count) =>
      elsewhere
        ? `${counted(count, 'task')} of ${hostname} with times in the future: its clock is ahead of this host's, or this one is behind`
        : `${counted(count, 'task')} with times in the future: the clock of this host was ahead then, or is behind now`,
    evidence: [{ path, text }],
    advice: [
      'check the clock (timedatectl, chronyc tracking): ages, gc by age and the identity of processes depend on it',
    ],
    task_id,
  };
}

function asNumber(time: number | bigint | undefined): number | undefined {
  return time === undefined ? undefined : Number(time);
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
