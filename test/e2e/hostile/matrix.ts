import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Phase } from '../../../src/discovery/found.js';
import { bounded, differences, type Ended, type Lane, snapshot, sweep, TaskProcess } from './lane.js';
import {
  AS_ROOT,
  give,
  KINDS,
  type KindName,
  MATE,
  OWNER,
  plant,
  ROLES,
  type RoleName,
  role,
  SECRET,
  spoil,
  type TaskPlaces,
  taskOf,
  VICTIM,
} from './tree.js';

interface Target {
  readonly root: string;
  readonly victim: TaskPlaces;
  readonly config: string;
}

interface Command {
  readonly args: (target: Target) => string[];
  /** What its help says it may exit with, here. */
  readonly exits: readonly number[];
  /** What it exits with over a tree that nothing was done to. */
  readonly sound: number;
  /** Of the task; active if not given. */
  readonly phase?: Phase;
  /** Runs as the task's user, not as root. */
  readonly asOwner?: true;
  /** May end the task: what it says then must be true. */
  readonly ends?: true;
  /** May leave processes that it started. */
  readonly starts?: true;
  /** What it names is read, whoever it belongs to. */
  readonly names?: true;
}

const LOOKS = [0, 1, 5];
/** Of run: the task ended somehow, it can't be run here, or the checkpoint could not be written. */
const RAN = [0, 1, 2, 3, 4, 5];
const run = ({ root, config }: Target) => ['run', '--root', root, '--task-id', VICTIM, config];
const simplerun = ({ root }: Target) => ['simplerun', '--root', root, '--task-id', 'new', '--', 'true'];

export const COMMANDS = {
  status: { args: ({ root }) => ['status', '--root', root], exits: LOOKS, sound: 0 },
  'status-json': { args: ({ root }) => ['status', '--json', '--root', root], exits: LOOKS, sound: 0 },
  inspect: { args: ({ root }) => ['inspect', '--root', root, VICTIM], exits: LOOKS, sound: 0 },
  'inspect-json': {
    args: ({ root }) => ['inspect', '--json', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
  },
  tail: {
    args: ({ root }) => ['tail', '-n', 'all', '--no-follow', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
  },
  read: { args: ({ victim }) => ['read', victim.checkpoint], exits: [0, 5], sound: 0, names: true },
  'kill-now': {
    args: ({ root }) => ['kill', '--now', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
    ends: true,
  },
  kill: {
    args: ({ root }) => ['kill', '--grace', '1s', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
    ends: true,
  },
  'kill-mate': { args: ({ root }) => ['kill', '--now', '--root', root, MATE], exits: LOOKS, sound: 0 },
  wait: {
    args: ({ root }) => ['wait', '--timeout', '1s', '--root', root, VICTIM],
    exits: [0, 1, 3, 4, 5, 124],
    sound: 124,
  },
  'gc-dry-run': {
    args: ({ root }) => ['gc', '--dry-run', '--delete-data', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
    phase: 'finished',
  },
  'gc-yes': {
    args: ({ root }) => ['gc', '--yes', '--delete-data', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
    phase: 'finished',
  },
  'gc-orphan': {
    args: ({ root }) => ['gc', '--yes', '--orphan-age', '0s', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
    ends: true,
  },
  run: { args: run, exits: RAN, sound: 0, starts: true },
  'run-as-owner': { args: run, exits: RAN, sound: 0, starts: true, asOwner: true },
  simplerun: { args: simplerun, exits: RAN, sound: 0, starts: true },
  'simplerun-as-owner': { args: simplerun, exits: RAN, sound: 0, starts: true, asOwner: true },
  doctor: { args: ({ root }) => ['doctor', '--root', root], exits: LOOKS, sound: 1 },
  roots: { args: ({ root }) => ['roots', '--root', root], exits: LOOKS, sound: 0 },
  completion: {
    args: ({ root }) => ['__complete', 'zsh', 'tail', '--root', root, VICTIM, ''],
    exits: [0],
    sound: 0,
  },
} as const satisfies Record<string, Command>;
export type CommandName = keyof typeof COMMANDS;

/** One process of the program over one spoiled tree. */
export interface Cell {
  readonly role: RoleName;
  /** Without it nothing is spoiled, and the command must do what it is for. */
  readonly kind?: KindName;
  readonly command: CommandName;
}

export const nameOf = ({ role, kind, command }: Cell) => `${role}/${kind ?? 'sound'}/${command}`;

export const roles = Object.keys(ROLES) as RoleName[];
export const kinds = Object.keys(KINDS) as KindName[];
export const commands = Object.keys(COMMANDS) as CommandName[];

/** Every role with every kind and every command. */
export function product(): Cell[] {
  return roles.flatMap((role) =>
    kinds.flatMap((kind) => commands.map((command) => ({ role, kind, command }))),
  );
}

/**
 * Of the product so much that every two of a role, a kind and a command meet. Each role and kind get two commands,
 * half of the list apart, and the next role or kind goes on by one.
 */
export function covering(): Cell[] {
  const half = Math.ceil(commands.length / 2);
  return roles.flatMap((role, i) =>
    kinds.flatMap((kind, j) =>
      [0, half].map((offset) => {
        const command = commands[(i + j + offset) % commands.length] as CommandName;
        return { role, kind, command };
      }),
    ),
  );
}

/** One cell a command over a tree that is as it should be: what the others would show if nothing stood in the way. */
export function sound(): Cell[] {
  return commands.map((command) => ({ role: 'runner', command }));
}

/** The cells that `pattern` names: ROLE/KIND/COMMAND, `*` for any. */
export function matching(pattern: string): Cell[] {
  const wanted = pattern.split('/');
  const fits = (word: string | undefined, name: string) =>
    word === undefined || word === '*' || word === name;
  return [...product(), ...sound()].filter(
    ({ role, kind, command }) =>
      fits(wanted[0], role) && fits(wanted[1], kind ?? 'sound') && fits(wanted[2], command),
  );
}

const ANSWER_MS = 5_000;
/** No process has it: it is above the limit of Linux. */
const DEAD = { pid: 4_194_002, coordinator: 4_194_001 };

/** Tries a cell; what went wrong, in words. A busy machine gets a second chance to answer in time. */
export async function faults(lane: Lane, cell: Cell): Promise<string[]> {
  const first = await attempt(lane, cell);
  return first.some((fault) => fault.startsWith('no answer')) && process.env.HOSTILE_ONCE === undefined
    ? attempt(lane, cell)
    : first;
}

async function attempt(lane: Lane, { role: name, kind, command }: Cell): Promise<string[]> {
  const { args, exits, sound, phase = 'active', asOwner, ends, starts, names }: Command = COMMANDS[command];
  const alive = ends ? await TaskProcess.start() : undefined;
  const place = lane.clear({ large: kind === 'sparse' });
  try {
    const root = join(place, 'root');
    const stranger = lane.daemon.pid;
    const dead = { ...DEAD, since: Date.now() / 1000 };
    const victim = plant(root, VICTIM, { phase, alive: alive ?? dead, stranger, word: 'own' });
    const mate = plant(root, MATE, { phase, alive: dead, stranger, word: 'own' });
    // Who runs as the user does it in a root of his own.
    give(role(name).inSandbox && !asOwner ? victim.sandbox : root, OWNER);
    const config = join(place, 'config.json');
    writeFileSync(config, JSON.stringify(taskOf(VICTIM, 'own')));
    await lane.daemon.hold(victim.runner, victim.coordinator, victim.stdout);
    if (kind !== undefined) spoil(kind, name, victim, lane.twin);

    const kept = [lane.outside, ...(command === 'kill-mate' ? [] : mate.all)];
    const links = kind !== 'hard-link';
    const before = snapshot(kept, { links });
    const uid = asOwner && AS_ROOT ? OWNER : undefined;
    const ended = await bounded(args({ root, victim, config }), { uid, ms: ANSWER_MS });
    if (process.env.HOSTILE_SHOW !== undefined) console.log(args({ root, victim, config }).join(' '), ended);
    const found = [
      ...wrongAnswer(ended, kind === undefined ? [sound] : exits),
      ...differences(before, snapshot(kept, { links })),
    ];
    found.push(...(await lane.harm()));
    // Nothing is to be settled where gc sees no task.
    const seen = kind === undefined || command !== 'gc-orphan';
    if (seen && ended.status === 0 && alive?.isAlive) {
      found.push('exit 0, but the process of the task lives');
    }
    // An unprivileged caller may read all that is his own.
    const shown = ended.stdout + ended.stderr;
    if (AS_ROOT && !names && shown.includes(SECRET)) found.push("shows what the tree's owner may not read");
    return found.map((fault) => fault.replaceAll(lane.path, '').replaceAll(place, ''));
  } finally {
    alive?.end();
    if (starts) sweep(place);
    await lane.daemon.drop();
    lane.clear({ large: kind === 'sparse' });
  }
}

/** What is wrong with an answer whatever was asked. */
export function wrongAnswer({ status, signal, stderr, cut }: Ended, exits: readonly number[]): string[] {
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
