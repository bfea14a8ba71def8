/**
 * What agents and masters answer, checked: nothing in an answer is trusted, neither its types nor its sizes, nor that
 * the paths in it are those that were asked for. Answers are loaded as `x-user-defined`, so that each character stands
 * for one byte, whatever encoding the agent's version writes.
 */
import { mesosIdsOf } from '../layout/mesos.js';
import { isName } from '../layout/names.js';
import { LONGEST_PATH } from '../store/paths.js';

/** More than any agent has; what exceeds them is left out, and said. */
export const MOST = { executors: 20_000, agents: 10_000, entries: 20_000, pieceBytes: 1024 * 1024 } as const;

/** A sandbox as its agent lists it. */
export interface ExecutorRun {
  /** The run directory: absolute, and of a complete Mesos tree. */
  readonly directory: string;
  readonly executorId: string;
  /** The agent runs it now; else it is among those that ended. */
  readonly running: boolean;
  /** `TASK_FAILED` … of the newest task, as Mesos has it. */
  readonly mesosState?: string;
}

export interface AgentState {
  readonly id: string;
  readonly hostname: string;
  /** `1.11.0`; empty if it does not say. */
  readonly version: string;
  readonly runs: readonly ExecutorRun[];
  /** How many runs were left out: too many, or without a directory as an agent has it. */
  readonly leftOut: number;
}

/** An agent as its master lists it. */
export interface ListedAgent {
  readonly id: string;
  readonly hostname: string;
  /** `host:port` by name, then by address. */
  readonly places: readonly string[];
  /** `inactive`: its master has lost it. `recovered`: it has not come back yet to a master that was started again. */
  readonly standing: 'active' | 'inactive' | 'recovered';
}

export interface RemoteEntry {
  readonly name: string;
  readonly kind: 'directory' | 'file' | 'other';
  /** As `ls -l` shows it: `drwxr-xr-x`; empty if it is none. */
  readonly mode: string;
  readonly size: number;
  readonly mtimeMs: number;
  /** The name of its owner, or the number. */
  readonly owner: string;
}

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The bytes of a text that was loaded with a character for each byte. */
export function bytesOf(text: string): Buffer {
  const bytes = Buffer.alloc(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i) & 0xff;
  return bytes;
}

const ASCII = /^[\0-\x7f]*$/;

/** A text of an answer; empty if it is none, or too long for a name or a path. */
export function textOf(value: unknown): string {
  if (typeof value !== 'string' || value.length > LONGEST_PATH) return '';
  return ASCII.test(value) ? value : bytesOf(value).toString('utf8');
}

/** Undefined if the answer is not that of an agent. Pure. */
export function parseAgentState(answer: unknown): AgentState | undefined {
  if (!isFields(answer) || !Array.isArray(answer.frameworks)) return undefined;
  if (textOf(answer.pid).startsWith('master')) return undefined;
  const runs = new Map<string, ExecutorRun>();
  let leftOut = 0;
  const add = (executor: unknown, running: boolean): void => {
    const run = isFields(executor) ? runOf(executor, running) : undefined;
    if (run === undefined || (runs.size >= MOST.executors && !runs.has(run.directory))) leftOut += 1;
    else if (running || !runs.has(run.directory)) runs.set(run.directory, run);
  };
  const addAll = (frameworks: unknown, over: boolean): void => {
    for (const framework of listOf(frameworks)) {
      if (!isFields(framework)) continue;
      for (const executor of listOf(framework.executors)) add(executor, !over);
      for (const executor of listOf(framework.completed_executors)) add(executor, false);
    }
  };
  addAll(answer.frameworks, false);
  addAll(answer.completed_frameworks, true);
  return {
    id: textOf(answer.id),
    hostname: textOf(answer.hostname),
    version: textOf(answer.version),
    runs: [...runs.values()],
    leftOut,
  };
}

function runOf(executor: Fields, running: boolean): ExecutorRun | undefined {
  const directory = textOf(executor.directory);
  const ids = isPlain(directory) ? mesosIdsOf(directory) : undefined;
  if (ids === undefined || !Object.values(ids).every(isName)) return undefined;
  const tasks = [...listOf(executor.tasks), ...listOf(executor.completed_tasks)];
  const state = tasks.map((task) => (isFields(task) ? textOf(task.state) : '')).find((each) => each !== '');
  return { directory, executorId: ids.executor_id, running, mesosState: state };
}

/** Is it an absolute path without empty names, `.` and `..`? */
function isPlain(path: string): boolean {
  return path.startsWith('/') && path.slice(1).split('/').every(isName);
}

/** Undefined if the answer is not that of a master. Pure. */
export function parseAgents(answer: unknown): readonly ListedAgent[] | undefined {
  if (!isFields(answer) || !Array.isArray(answer.slaves)) return undefined;
  const agents = [
    ...answer.slaves.map((agent) => listedAgent(agent)),
    ...listOf(answer.recovered_slaves).map((agent) => listedAgent(agent, 'recovered')),
  ];
  return agents.filter((agent) => agent !== undefined).slice(0, MOST.agents);
}

function listedAgent(agent: unknown, standing?: ListedAgent['standing']): ListedAgent | undefined {
  if (!isFields(agent)) return undefined;
  const hostname = textOf(agent.hostname);
  const address = textOf(agent.pid).split('@').at(-1) ?? '';
  const port = Number.isInteger(agent.port) ? agent.port : address.split(':').at(-1);
  const places = [`${hostname}:${port}`, address].filter(isPlace);
  if (places.length === 0) return undefined;
  return {
    id: textOf(agent.id),
    hostname,
    places: [...new Set(places)],
    standing: standing ?? (agent.active === false ? 'inactive' : 'active'),
  };
}

/** A task as its master lists it. */
export interface MasterTask {
  readonly id: string;
  readonly agentId: string;
  readonly executorId: string;
  /** `TASK_RUNNING` … */
  readonly state: string;
  /** Of its newest status, in milliseconds since the epoch by the clock of the agent; undefined if it has none. */
  readonly sinceMs?: number;
}

/** Undefined if the answer is not a list of tasks. Pure. */
export function parseTasks(answer: unknown): readonly MasterTask[] | undefined {
  if (!isFields(answer) || !Array.isArray(answer.tasks)) return undefined;
  return answer.tasks.filter(isFields).map((task) => ({
    id: textOf(task.id),
    agentId: textOf(task.slave_id),
    executorId: textOf(task.executor_id),
    state: textOf(task.state),
    sinceMs: newestOf(task.statuses),
  }));
}

function newestOf(statuses: unknown): number | undefined {
  const times = listOf(statuses).map((status) => (isFields(status) ? sizeOf(status.timestamp) : 0));
  const newest = times.reduce((most, time) => Math.max(most, time), 0);
  return newest > 0 ? Math.round(newest * 1000) : undefined;
}

/** Is it `host:port`? */
export function isPlace(text: string): boolean {
  return /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):\d{1,5}$/.test(text) && URL.canParse(`http://${text}`);
}

const MODE = /^[-dlcbps][-rwxsStT]{9}$/;

/** The entries of the directory that was asked for; undefined if the answer is not a listing. Pure. */
export function parseListing(
  answer: unknown,
  directory: string,
): { entries: readonly RemoteEntry[]; complete: boolean } | undefined {
  if (!Array.isArray(answer)) return undefined;
  const entries: RemoteEntry[] = [];
  for (const entry of answer.slice(0, MOST.entries)) {
    if (!isFields(entry)) continue;
    const path = textOf(entry.path);
    if (!path.startsWith(directory) || path.charCodeAt(directory.length) !== SLASH) continue;
    const name = own(path.slice(directory.length + 1));
    if (!isName(name)) continue;
    const mode = MODE.test(textOf(entry.mode)) ? own(textOf(entry.mode)) : '';
    const kind = mode.startsWith('d') ? 'directory' : mode.startsWith('-') ? 'file' : 'other';
    const [size, mtimeMs] = [sizeOf(entry.size), 1000 * sizeOf(entry.mtime)];
    entries.push({ name, kind, mode, size, mtimeMs, owner: own(ownerOf(entry.uid)) });
  }
  return { entries, complete: answer.length <= MOST.entries };
}

const SLASH = 47;

/** A few texts come again and again, such as the names of streams. */
const NAMES = new Map<string, string>();
const MOST_NAMES = 4096;

/** The same text, without that which it is cut out of. */
function own(name: string): string {
  let own = NAMES.get(name);
  if (own === undefined) {
    if (NAMES.size === MOST_NAMES) NAMES.clear();
    own = ` ${name}`.slice(1);
    NAMES.set(own, own);
  }
  return own;
}

function sizeOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : 0;
}

function ownerOf(value: unknown): string {
  return typeof value === 'number' ? String(value) : textOf(value);
}

/** The bytes of a piece of a file; undefined if the answer is none. Pure. */
export function parsePiece(answer: unknown): Buffer | undefined {
  if (!isFields(answer) || typeof answer.data !== 'string') return undefined;
  return answer.data.length > MOST.pieceBytes ? undefined : bytesOf(answer.data);
}

/** Is a version `MAJOR.MINOR…` before another? False if it is not known. Pure. */
export function isBefore(version: string, major: number, minor: number): boolean {
  const match = /^(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  const [, first, second] = match.map(Number) as [number, number, number];
  return first < major || (first === major && second < minor);
}
