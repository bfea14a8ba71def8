import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isServed } from '../harness.js';
import { COMMANDS, type Command, type CommandName } from './commands.js';
import { bounded, differences, type Ended, type Lane, snapshot, sweep, TaskProcess } from './lane.js';
import {
  AS_ROOT,
  give,
  MATE,
  OWNER,
  plant,
  type RoleName,
  SECRET,
  type TaskPlaces,
  taskOf,
  VICTIM,
} from './tree.js';

/** A command that hangs takes longer, whatever else the machine does. */
export const ANSWER_MS = 60_000;
/** No process has them: they are above the limit of Linux. */
const DEAD = { pid: 4_194_002, coordinator: 4_194_001 };

type End = (() => Promise<void>) | undefined;

export interface Hostility {
  /** The task's user has only the sandbox; all else is root's. */
  readonly inSandbox?: boolean;
  /** Needs files that are as long as can be. */
  readonly large?: boolean;
  /** Gives names to files of others, or takes them away. */
  readonly hardLinks?: boolean;
  /** Nothing is done: the command must do what it is for. */
  readonly sound?: boolean;
  readonly ms?: number;
  /** Does it, before the command starts; what it returns is called when the command has ended. */
  readonly begin: (victim: TaskPlaces) => End | Promise<End>;
}

/**
 * Whether a fault is none: who is not root has put his own link in the place of what is his own. `run` makes his logs where
 * he lets it lead, and whoever ends his task while its checkpoint leads to that of another task of his ends that one.
 */
export function isOwnLink(command: CommandName, name: RoleName, fault: string): boolean {
  if (AS_ROOT) return false;
  if (name === 'checkpoint') return fault === OTHER_KILLED;
  return (
    command.startsWith('run') &&
    ['log-dir', 'process-dir', 'sandbox'].includes(name) &&
    /^(?:changed|new) \/outside\/sandboxes\//.test(fault)
  );
}

const OTHER_KILLED = 'the process of the other task: was killed';

/** Runs one command over a tree to which something is done; what went wrong, in words. */
export async function attempt(lane: Lane, command: CommandName, hostility: Hostility): Promise<string[]> {
  const {
    args,
    exits,
    sound,
    phase = 'active',
    asOwner,
    ends,
    beside,
    starts,
    names,
    shows,
  }: Command = COMMANDS[command];
  const { large, ms = ANSWER_MS } = hostility;
  const alive = ends || beside ? await TaskProcess.start() : undefined;
  const place = lane.clear({ large });
  let stop: End;
  try {
    const root = join(place, 'root');
    const stranger = lane.daemon.pid;
    const dead = { ...DEAD, since: Date.now() / 1000 };
    const victim = plant(root, VICTIM, { phase, alive: alive ?? dead, stranger, word: 'own' });
    const mate = plant(root, MATE, { phase, alive: dead, stranger, word: 'own' });
    // Who runs as the user does it in a root of his own.
    give(hostility.inSandbox && !asOwner ? victim.sandbox : root, OWNER);
    const config = join(place, 'config.json');
    writeFileSync(config, JSON.stringify(taskOf(VICTIM, 'own')));
    await lane.daemon.hold(victim.runner, victim.coordinator, victim.stdout);
    stop = await hostility.begin(victim);

    const kept = [lane.outside, ...(command === 'kill-mate' ? [] : mate.all)];
    const links = !hostility.hardLinks;
    const before = snapshot(kept, { links });
    const words = args({ root, victim, config });
    const uid = asOwner && AS_ROOT ? OWNER : undefined;
    const ended = isServed(words, { uid }) ? await lane.run(words, ms) : await bounded(words, { uid, ms });
    await stop?.();
    stop = undefined;
    if (process.env.HOSTILE_SHOW !== undefined) console.log(words.join(' '), ended);
    const found = wrongAnswer(ended, hostility.sound ? [sound] : exits);
    found.push(...differences(before, snapshot(kept, { links })), ...(await lane.harm()));
    // Where gc sees no task there is nothing to be finalized.
    const claims = ended.status === 0 && (hostility.sound || command !== 'gc-orphan');
    if (ends && claims && alive !== undefined && !(await hasEnded(alive)))
      found.push('exit 0, but the process of the task lives');
    if (beside && !alive?.isAlive) found.push('the process of the task was killed');
    // An unprivileged caller may read all that is his own.
    const shown = ended.stdout + ended.stderr + (shows === undefined ? '' : textsIn(shows({ root })));
    if (AS_ROOT && !names && shown.includes(SECRET)) found.push("shows what the tree's owner may not read");
    return found.map((fault) => fault.replaceAll(lane.path, '').replaceAll(place, ''));
  } finally {
    await stop?.();
    stop = undefined;
    alive?.end();
    if (starts) sweep(place);
    await lane.daemon.drop();
    lane.clear({ large });
  }
}

/** Whether a process has ended, which takes a moment after SIGKILL. */
async function hasEnded(process: TaskProcess): Promise<boolean> {
  const until = performance.now() + ANSWER_MS;
  while (process.isAlive && performance.now() < until) await sleep(10);
  return !process.isAlive;
}

/** What is in the files of a directory; '' if it was not made. */
function textsIn(directory: string): string {
  try {
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8')).join('\n');
  } catch {
    return '';
  }
}

/** What is wrong with an answer whatever was asked. */
function wrongAnswer({ status, signal, stderr, cut }: Ended, exits: readonly number[]): string[] {
  if (cut !== undefined) return [cut];
  const found: string[] = [];
  const said = stderr.slice(0, 300);
  if (signal !== null) found.push(`died of ${signal}: ${said}`);
  else if (!exits.includes(status as number)) found.push(`exit ${status}: ${said}`);
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr) || /FATAL ERROR|Segmentation/.test(stderr)) {
    found.push(`a stack on stderr: ${said}`);
  }
  return found;
}
