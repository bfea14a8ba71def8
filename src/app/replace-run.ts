import { isTerminalProcessState } from '../checkpoint/records.js';
import { SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import type { ProcessRow } from '../host/process-table.js';
import type { Processes } from '../lifecycle/processes.js';
import {
  type ReplaceProgress,
  type ReplaceStep,
  type RunSeen,
  replaceStep,
} from '../lifecycle/replace-step.js';
import type { ProcessesOfRun } from '../lifecycle/run-processes.js';
import { notRunning, type OpenRun } from './one-process.js';
import { asError, leftAlone, unknownCommand } from './signal.js';
import type { Pause } from './wait.js';

export interface ReplaceOptions {
  readonly graceMs: number;
  readonly by: string;
}

export interface ReplacePorts {
  readonly pause: Pause;
  /** Milliseconds since the epoch. */
  now(): number;
  readonly processes: Processes;
}

/** How the run ended. */
export interface Replaced {
  readonly ended: 'terminated' | 'killed';
  /** Pids, its coordinator included. */
  readonly signalled: readonly number[];
  readonly problems: readonly Problem[];
}

/** The exit code of the signal that came, and whether the command had been asked to end. */
export interface Interrupted {
  readonly interrupted: number;
  readonly wasAsked: boolean;
}

/** The times between two looks. */
const FIRST_LOOK_MS = 5;
const LONGEST_LOOK_MS = 100;
/** How long a coordinator may take to record what it saw. */
const RECORD_MS = 30_000;

/**
 * Ends a run as `replaceStep` says, so that its runner records it as LOST and runs the process again. If that cannot be
 * carried out, its coordinator goes on and records the end. Resolves to the exit code of a signal that comes before that.
 * Rejects with NotFoundError `process-not-running` if the process ended by itself, and SystemError `restart-refused`,
 * `signal-refused`, `signal-failed`, `process-unending`.
 */
export async function replaceRun(
  open: OpenRun,
  options: ReplaceOptions,
  ports: ReplacePorts,
): Promise<Replaced | Interrupted> {
  const replacing = new Replacing(open, options, ports);
  try {
    return await replacing.run();
  } finally {
    replacing.letGoOn();
  }
}

class Replacing {
  readonly #open: OpenRun;
  readonly #options: ReplaceOptions;
  readonly #ports: ReplacePorts;
  readonly #coordinator: ProcessRow;
  /** Undefined if it had ended before. */
  readonly #command: ProcessRow | undefined;
  #others: readonly ProcessRow[] = [];
  readonly #askedOthers = new Set<string>();
  readonly #signalled = new Set<number>();
  readonly #problems = new Map<number, Problem>();
  #progress: ReplaceProgress;
  #isHeld = false;
  #isKilled = false;

  constructor(open: OpenRun, options: ReplaceOptions, ports: ReplacePorts) {
    this.#open = open;
    this.#options = options;
    this.#ports = ports;
    this.#progress = { began: ports.processes.clock(), wasHeld: false };
    const { coordinator, command } = this.#find();
    const { run } = open;
    if (command === undefined && isAlive(run.pid, ports.processes)) throw unknownCommand(run.pid);
    if (coordinator === undefined) throw unknownCommand(run.coordinator_pid);
    this.#coordinator = coordinator;
    this.#command = command;
  }

  async run(): Promise<Replaced | Interrupted> {
    const { processes } = this.#ports;
    for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
      const now = processes.clock();
      const step = replaceStep(this.#see(), this.#progress, this.#options.graceMs, now);
      if (step.kind === 'give-up') throw await this.#giveUp(step.why);
      this.#do(step, now);
      if (step.kind === 'replace') return this.#replaced();
      if (step.kind === 'ask') wait = FIRST_LOOK_MS;
      const interrupted = await this.#sleep(wait);
      if (interrupted !== undefined) return { interrupted, wasAsked: this.#progress.asked !== undefined };
    }
  }

  /** Unless the run was replaced: a coordinator that is held would never record the end. */
  letGoOn(): void {
    if (this.#isHeld) this.#open.task.signal(this.#coordinator, 'SIGCONT');
    this.#isHeld = false;
  }

  #see(): RunSeen {
    const { task, run } = this.#open;
    const look = task.look(this.#coordinator);
    const coordinator = look === undefined ? 'gone' : look.halt === 'stopped' ? 'held' : 'free';
    const isHeld = coordinator === 'held';
    // While it is held it records nothing, so one look after that is enough.
    const latest = isHeld && this.#progress.asked !== undefined ? undefined : task.latestRun();
    const isRecorded =
      latest !== undefined &&
      (latest.coordinator_pid !== run.coordinator_pid || isTerminalProcessState(latest.state));
    if (isHeld) {
      // Also if somebody else stopped it before.
      this.#isHeld = true;
      this.#progress = { ...this.#progress, wasHeld: true };
    }
    const { others, unsure } = this.#find();
    for (const { pid } of unsure) this.#problems.set(pid, leftAlone(pid, run.process));
    this.#others = others.filter(({ pid }) => !this.#problems.has(pid));
    return {
      coordinator,
      isRecorded,
      isCommandAlive: this.#isCommandAlive(),
      others: this.#others.length,
      unasked: this.#others.filter((row) => !this.#askedOthers.has(identityOf(row))).length,
    };
  }

  #do(step: ReplaceStep, now: number): void {
    switch (step.kind) {
      case 'hold':
        this.#must(this.#coordinator, 'SIGSTOP');
        this.#isHeld = true;
        break;
      case 'ask':
        if (step.whom === 'command') {
          this.#must(this.#command as ProcessRow, 'SIGTERM');
          this.#progress = { ...this.#progress, asked: now };
        } else {
          for (const row of this.#others) {
            if (this.#askedOthers.has(identityOf(row))) continue;
            this.#askedOthers.add(identityOf(row));
            this.#send(row, 'SIGTERM');
          }
        }
        // Afterwards, so that each finds its SIGTERM when it goes on.
        this.#continue();
        break;
      case 'kill': {
        this.#isKilled ||= this.#isCommandAlive();
        for (const row of this.#left()) this.#send(row, 'SIGKILL');
        break;
      }
      case 'replace': {
        const { task, index } = this.#open;
        // Before the runner knows of it.
        task.keepReason({
          time_ms: Math.round(this.#ports.now()),
          code: 'process-restarted',
          message: 'thermos restart',
          run: index,
          by: this.#options.by,
        });
        this.#must(this.#coordinator, 'SIGKILL');
        this.#isHeld = false;
        break;
      }
    }
  }

  /** What is stopped could not end. */
  #continue(): void {
    const { task } = this.#open;
    for (const row of this.#left()) if (task.look(row)?.halt === 'stopped') task.signal(row, 'SIGCONT');
  }

  #isCommandAlive(): boolean {
    return this.#command !== undefined && this.#open.task.look(this.#command) !== undefined;
  }

  /** The command and the others, as they were seen. */
  #left(): readonly ProcessRow[] {
    return this.#command === undefined ? this.#others : [this.#command, ...this.#others];
  }

  #find(): ProcessesOfRun {
    const { task, run, index } = this.#open;
    return task.processesOf(run, index);
  }

  /** To a process without which the run cannot be replaced. One that is gone is noticed at the next look. */
  #must(row: ProcessRow, signal: NodeJS.Signals): void {
    const problem = this.#send(row, signal);
    if (problem !== undefined) throw asError(problem);
  }

  #send(row: ProcessRow, signal: NodeJS.Signals): Problem | undefined {
    const sent = this.#open.task.signal(row, signal);
    if (sent === 'sent') this.#signalled.add(row.pid);
    if (typeof sent !== 'object') return undefined;
    this.#problems.set(row.pid, sent);
    return sent;
  }

  async #replaced(): Promise<Replaced> {
    const { task } = this.#open;
    const { processes } = this.#ports;
    const until = processes.clock() + RECORD_MS;
    while (task.look(this.#coordinator) !== undefined && processes.clock() < until)
      await this.#sleep(FIRST_LOOK_MS);
    return {
      ended: this.#isKilled ? 'killed' : 'terminated',
      signalled: [...this.#signalled],
      problems: [...this.#problems.values(), ...task.problems],
    };
  }

  async #giveUp(why: (ReplaceStep & { kind: 'give-up' })['why']): Promise<Error> {
    this.letGoOn();
    const { run, index, task } = this.#open;
    const { process } = run;
    switch (why) {
      case 'ended': {
        const state = await this.#recordedEnd();
        return notRunning(
          `process ${process} ended by itself before it was restarted: run ${index} is ${state ?? 'not yet recorded'}`,
        );
      }
      case 'lost':
        return notRunning(
          `process ${process} lost its coordinator before it was restarted: its runner runs it again`,
        );
      case 'taken': {
        const asked =
          this.#progress.asked === undefined
            ? ''
            : ': it was sent SIGTERM, and its end counts as if it had ended by itself';
        return refusal(
          `the coordinator of process ${process} (process ${run.coordinator_pid}) was continued by somebody else${asked}`,
        );
      }
      case 'unstoppable':
        return new SystemError(
          'process-unending',
          `process ${run.coordinator_pid}, the coordinator of ${process}, does not stop`,
        );
      case 'unending': {
        const left = this.#left().filter((row) => task.look(row) !== undefined);
        const pids = left.map(({ pid }) => pid).join(', ');
        return new SystemError(
          'process-unending',
          `process ${pids} of ${process} was killed but does not end`,
        );
      }
    }
  }

  /** How the run ended by its coordinator, which goes on. */
  async #recordedEnd(): Promise<string | undefined> {
    const { task, run } = this.#open;
    const { processes } = this.#ports;
    const until = processes.clock() + RECORD_MS;
    for (;;) {
      const latest = task.latestRun();
      if (
        latest !== undefined &&
        latest.coordinator_pid === run.coordinator_pid &&
        isTerminalProcessState(latest.state)
      )
        return String(latest.state);
      if (processes.clock() >= until || latest?.coordinator_pid !== run.coordinator_pid) return undefined;
      if ((await this.#sleep(FIRST_LOOK_MS)) !== undefined) return undefined;
    }
  }

  #sleep(ms: number): Promise<number | undefined> {
    return this.#ports.pause(new Promise((resolve) => setTimeout(resolve, ms)));
  }
}

function isAlive(pid: number, processes: Processes): boolean {
  return processes.look(pid)?.isDead === false;
}

function refusal(message: string): SystemError {
  return new SystemError('restart-refused', message);
}

function identityOf({ pid, startTimeTicks }: ProcessRow): string {
  return `${pid} ${startTimeTicks}`;
}
