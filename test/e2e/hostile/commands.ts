import { join } from 'node:path';
import type { Phase } from '../../../src/layout/root-paths.js';
import { HAS_NATIVE } from '../../runner/harness.js';
import { AS_ROOT, MATE, type TaskPlaces, VICTIM } from './tree.js';

export interface Target {
  readonly root: string;
  readonly victim: TaskPlaces;
  readonly config: string;
}

export interface Command {
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
  /** Needs a process of the task that is alive, and leaves it alone. */
  readonly beside?: true;
  /** May leave processes that it started. */
  readonly starts?: true;
  /** What it names is read, whoever it belongs to. */
  readonly names?: true;
  /** Where it writes what it has to show. */
  readonly shows?: (target: Pick<Target, 'root'>) => string;
}

const LOOKS = [0, 1, 5];
/** Of commands that act on one process: files that are not trusted end them, too. */
const ACTS = [0, 1, 2, 5];
/** Of run: the task ended somehow, it can't be run here, or the checkpoint could not be written. */
const RAN = [0, 1, 2, 3, 4, 5];
const run = ({ root, config }: Target) => ['run', '--root', root, '--task-id', VICTIM, config];
const simplerun = ({ root }: Target) => ['simplerun', '--root', root, '--task-id', 'new', '--', 'true'];
const again = ({ root }: Target) => ['run', '--root', root, '--again', VICTIM, '--task-id', 'new'];
/** It ends with the document, and starts no process that shows the task. */
const asDocument =
  (command: (target: Target) => string[]) =>
  (target: Target): string[] => {
    const [name = '', ...words] = command(target);
    return [name, '--json', ...words];
  };
/** Root runs in the root of another user only for that user. */
const forOwner = ([command, ...words]: string[]) =>
  AS_ROOT ? [command as string, '--user', 'nobody', ...words] : [command as string, ...words];

/** In the root of somebody else; the user of the task may not read it. */
const secret = ({ root }: Pick<Target, 'root'>) =>
  join(root, '..', '..', 'outside', 'checkpoints', VICTIM, 'runner');

/** Beside the root. */
const copy = ({ root }: Pick<Target, 'root'>) => join(root, '..', 'copy');
const pages = ({ root }: Pick<Target, 'root'>) => join(root, '..', 'pages');

export const COMMANDS = {
  status: { args: ({ root }) => ['status', '--root', root], exits: LOOKS, sound: 0 },
  'status-json': { args: ({ root }) => ['status', '--json', '--root', root], exits: LOOKS, sound: 0 },
  'status-prometheus': {
    args: ({ root }) => ['status', '--prometheus', '--per-task', '--root', root],
    exits: [0],
    sound: 0,
  },
  top: {
    args: ({ root }) => ['top', '--interval', '0.1', '--processes', '--root', root],
    exits: LOOKS,
    sound: 0,
  },
  'top-json': {
    args: ({ root }) => ['top', '--interval', '0.1', '--json', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
  },
  // What is recorded of hostile names, and pages of what a file claims to be a record.
  'top-record': {
    args: ({ root }) => [
      ...['top', '--interval', '0.1', '--count', '1', '--root', root],
      ...['--record', join(root, '..', 'record')],
    ],
    exits: LOOKS,
    sound: 0,
    shows: ({ root }) => join(root, '..', 'record'),
  },
  'report-usage': {
    args: ({ root }) => [
      ...['report', '--root', root, '--out', pages({ root })],
      ...['--usage', join(root, 'checkpoints', VICTIM, 'runner'), VICTIM],
    ],
    exits: LOOKS,
    sound: 0,
    shows: pages,
  },
  // On a pipe it refuses; the screens of hostile tasks are in test/e2e/ui.test.ts.
  ui: { args: ({ root }) => ['ui', '--root', root], exits: [2], sound: 2 },
  inspect: { args: ({ root }) => ['inspect', '--root', root, VICTIM], exits: LOOKS, sound: 0 },
  'inspect-json': {
    args: ({ root }) => ['inspect', '--json', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
  },
  'inspect-graph': {
    args: ({ root }) => ['inspect', '--graph', 'dot', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
  },
  diff: { args: ({ root }) => ['diff', '--root', root, VICTIM, MATE], exits: LOOKS, sound: 1 },
  tail: {
    args: ({ root }) => ['tail', '-n', 'all', '--no-follow', '--root', root, VICTIM],
    exits: LOOKS,
    sound: 0,
  },
  ls: { args: ({ root }) => ['ls', '--recursive', '--root', root, VICTIM], exits: LOOKS, sound: 0 },
  cat: {
    args: ({ root }) => ['cat', '--root', root, `${VICTIM}:.logs/main/0/stdout`],
    exits: LOOKS,
    sound: 0,
  },
  cp: {
    args: ({ root }) => ['cp', '--recursive', '--root', root, VICTIM, copy({ root })],
    exits: LOOKS,
    sound: 0,
    shows: copy,
  },
  'tail-grep': {
    args: ({ root }) => [
      ...['tail', '--no-follow', '--grep', '.', '--exclude', 'nothing', '--highlight', 'o', '--json'],
      ...['--since', '2014-05-13T16:53:20Z', '--root', root, VICTIM],
    ],
    exits: LOOKS,
    sound: 0,
  },
  events: {
    args: ({ root }) => [
      ...['events', '--since', '2000-01-01T00:00:00Z', '--no-follow', '--root', root],
      ...['--exec', 'test -n "$THERMOS_EVENT"'],
    ],
    exits: LOOKS,
    sound: 0,
  },
  'events-json': {
    args: ({ root }) => [
      'events',
      '--json',
      '--since',
      '2000-01-01T00:00:00Z',
      '--no-follow',
      '--root',
      root,
    ],
    exits: LOOKS,
    sound: 0,
  },
  exec: {
    args: ({ root }) => [
      'exec',
      '--root',
      root,
      VICTIM,
      'main',
      '--',
      'sh',
      '-c',
      `cat '${secret({ root })}'; true`,
    ],
    exits: [...LOOKS, 2, 125],
    sound: HAS_NATIVE || !AS_ROOT ? 0 : 5,
    beside: true,
  },
  read: { args: ({ victim }) => ['read', victim.checkpoint], exits: LOOKS, sound: 0, names: true },
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
  signal: {
    args: ({ root }) => ['signal', '--root', root, VICTIM, 'main', 'KILL'],
    exits: ACTS,
    sound: 0,
    ends: true,
  },
  // The pid that the stream names is somebody else's.
  'signal-stranger': {
    args: ({ root }) => ['signal', '--all', '--root', root, VICTIM, 'gone', 'KILL'],
    exits: ACTS,
    sound: 5,
  },
  // No runner is alive.
  restart: {
    args: ({ root }) => ['restart', '--grace', '0s', '--root', root, VICTIM, 'main'],
    exits: ACTS,
    sound: 5,
  },
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
  run: { args: (target) => forOwner(run(target)), exits: RAN, sound: 0, starts: true },
  'run-as-owner': { args: asDocument(run), exits: RAN, sound: 0, starts: true, asOwner: true },
  'run-again': { args: again, exits: RAN, sound: 0, starts: true, phase: 'finished' },
  'run-again-as-owner': {
    args: asDocument(again),
    exits: RAN,
    sound: 0,
    starts: true,
    asOwner: true,
    phase: 'finished',
  },
  simplerun: { args: (target) => forOwner(simplerun(target)), exits: RAN, sound: 0, starts: true },
  'simplerun-as-owner': { args: asDocument(simplerun), exits: RAN, sound: 0, starts: true, asOwner: true },
  doctor: { args: ({ root }) => ['doctor', '--root', root], exits: LOOKS, sound: 1 },
  report: {
    args: ({ root }) => ['report', '--trace', '--root', root, '--out', pages({ root })],
    exits: LOOKS,
    sound: 0,
    shows: pages,
  },
  roots: { args: ({ root }) => ['roots', '--root', root], exits: LOOKS, sound: 0 },
  completion: {
    args: ({ root }) => ['__complete', 'zsh', 'tail', '--root', root, VICTIM, ''],
    exits: [0],
    sound: 0,
  },
  'completion-described': {
    args: ({ root }) => ['__complete', '--describe', 'zsh', 'kill', '--root', root, ''],
    exits: [0],
    sound: 0,
  },
} as const satisfies Record<string, Command>;
export type CommandName = keyof typeof COMMANDS;
