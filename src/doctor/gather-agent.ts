import {
  agentWorkDirs,
  configuredFlag,
  flagOf,
  GC_DELAY_MS,
  GC_DISK_HEADROOM,
  runningAgents,
  workDirOfCommand,
} from '../discovery/agents.js';
import type { TaskRoot } from '../discovery/found.js';
import { latestIn } from '../discovery/mesos-tree.js';
import { PLACES, type RootOptions, rootsAreNamed, strangerAt } from '../discovery/roots.js';
import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import { procText } from '../host/proc-text.js';
import { MOST_ENTRIES } from '../layout/limits.js';
import { type AgentPaths, agentPaths, workDirAround } from '../layout/mesos.js';
import { byName, listDirectory } from '../store/list.js';
import { absolutePath, isDirectory, presenceOf, realPath, statFile } from '../store/look.js';
import { unreadable } from '../store/problems.js';
import { durationOf } from '../text/duration.js';
import type { AgentFacts } from './check-agent.js';
import { type FileTail, readFileTail, readSmallFile } from './file-tail.js';
import { parseSlaveInfo } from './mesos-info.js';

/** Where a Mesos agent logs. */
export interface LogPlaces {
  /** The directory of its own log, as the packages configure it. */
  directory: string;
  /** Where stderr of services goes: before 1.4, Mesos said only there why it did not start. */
  system: readonly string[];
}

const LOG_PLACES: LogPlaces = {
  directory: '/var/log/mesos',
  system: ['/var/log/syslog', '/var/log/messages'],
};

const LOG_BYTES = 256 * 1024;

/** Names that glog and the packages give to the agent's log. */
const LOG_NAMES = ['mesos-agent', 'mesos-slave'].flatMap((program) =>
  ['INFO', 'ERROR', 'log'].map((level) => `${program}.${level}`),
);

/** The agents of this machine and of the trees that were searched. */
export interface Agents {
  facts: AgentFacts[];
  /** The work directories of agents, and where each path was found. */
  workDirs: { path: string; source: string }[];
  /** What could not be checked. */
  problems: Problem[];
  /** By work directory. */
  headroom: Map<string, number>;
}

interface Running {
  pid: number;
  words: readonly string[];
  workDir: string;
}

/** Gathers facts about Mesos agents: the named or found work directories, their `meta`, running agents, logs. */
export function gatherAgents(
  options: RootOptions,
  roots: readonly TaskRoot[],
  host: Host,
  places: LogPlaces = LOG_PLACES,
): Agents {
  const { proc, etc, workDirs: known } = { ...PLACES, ...options.places };
  const running = runningAgents(proc, options.euid).map(({ pid, words }): Running => {
    return { pid, words, workDir: workDirOfCommand(words) as string };
  });
  const configured = agentWorkDirs(options.env, proc, etc, options.euid).map(({ path, source }) => {
    return { path: absolutePath(path, '/'), source };
  });
  const candidates = new Set<string>();
  for (const { run_dir } of roots) {
    const workDir = run_dir === undefined ? undefined : workDirAround(run_dir);
    if (workDir !== undefined) candidates.add(workDir);
  }
  const named = options.flags.mesosRoot ?? options.env.THERMOS_MESOS_ROOT?.split(':') ?? [];
  for (const path of named) if (path !== '') candidates.add(absolutePath(path, options.cwd ?? '/'));
  if (!rootsAreNamed(options)) {
    for (const { path } of configured) candidates.add(path);
    for (const path of known) if (strangerAt(path, options.euid) === undefined) candidates.add(path);
  }

  const agents: Agents = { facts: [], workDirs: configured, problems: [], headroom: new Map() };
  const seen = new Set<string>();
  for (const workDir of candidates) {
    const real = realPath(workDir);
    if (real === undefined || seen.has(real)) continue;
    seen.add(real);
    const ownAgent = running.find((agent) => realPath(agent.workDir) === real);
    const isConfigured = configured.some(({ path }) => realPath(path) === real);
    const paths = agentPaths(workDir);
    const meta = presenceOf(paths.meta);
    if (meta === 'absent' && !isDirectory(paths.slaves)) continue;
    const flag = (name: string) => flagOf(ownAgent?.words ?? [], name) ?? configuredFlag(name, etc);
    const headroom = Number(flag('gc_disk_headroom') ?? GC_DISK_HEADROOM);
    if (isConfigured || meta === 'directory') {
      agents.headroom.set(workDir, headroom >= 0 && headroom <= 1 ? headroom : GC_DISK_HEADROOM);
    }
    agents.facts.push({
      workDir,
      running: ownAgent && { pid: ownAgent.pid, sinceMs: host.process(ownAgent.pid)?.startTimeMs },
      configured: isConfigured,
      ...metaFacts(paths, proc, agents.problems),
      agents: agentDirectories(paths),
      gcDelayMs: durationOf(flag('gc_delay') ?? '') ?? GC_DELAY_MS,
      logs: [
        ...agentLogs([flag('log_dir'), places.directory], agents.problems),
        ...(isConfigured && ownAgent === undefined ? systemLogs(places.system) : []),
      ],
    });
  }
  return agents;
}

function metaFacts(
  paths: AgentPaths,
  proc: string,
  problems: Problem[],
): Pick<AgentFacts, 'meta' | 'latest' | 'bootId' | 'slaveInfo'> {
  const { meta, identities, bootId } = paths;
  const found = presenceOf(identities);
  if (found === 'absent') return { meta: 'absent' };
  if (found !== 'directory') {
    if (typeof found === 'object') problems.push(unchecked(meta, found.error));
    return { meta: 'unreadable' };
  }
  const id = latestIn(identities);
  const latest = id === undefined ? undefined : { id, exists: isDirectory(`${identities}/${id}`) };
  const facts: Pick<AgentFacts, 'meta' | 'latest' | 'bootId' | 'slaveInfo'> = { meta: 'present', latest };
  const now = procText(`${proc}/sys/kernel/random/boot_id`).trim();
  const bytes = readOrReport(bootId, meta, problems);
  const recorded = bytes?.toString('utf8').trim();
  if (recorded && now !== '') facts.bootId = { path: bootId, recorded, now };
  if (latest?.exists) {
    const path = paths.slaveInfo(latest.id);
    const info = readOrReport(path, meta, problems);
    const parsed = info === undefined ? undefined : parseSlaveInfo(info);
    if (parsed !== undefined) facts.slaveInfo = { path, info: parsed };
  }
  return facts;
}

/** The agent's files have mode 0600: one that can't be read is reported as not checked. */
function readOrReport(path: string, below: string, problems: Problem[]): Buffer | undefined {
  const found = readSmallFile(path, { below });
  if (found !== undefined) return found;
  try {
    readFileTail(path, 0, { below });
  } catch (error) {
    problems.push(unchecked(path, error));
  }
  return undefined;
}

function unchecked(path: string, error: unknown): Problem {
  const problem = unreadable({
    code: 'not-checked',
    severity: 'warning',
    tried: `read ${path}`,
    what: 'a file of the agent',
    error,
    path,
  });
  return { ...problem, message: `${problem.message}; its content is not checked` };
}

function agentDirectories({ slaves }: AgentPaths): AgentFacts['agents'] {
  const found: { id: string; path: string; mtimeMs: number }[] = [];
  try {
    const { entries } = listDirectory(slaves, { max: MOST_ENTRIES.mesosLevel });
    for (const entry of entries.sort(byName)) {
      if (!entry.isDirectory()) continue;
      const path = `${slaves}/${entry.name}`;
      const mtimeMs = statFile(path)?.mtimeMs;
      if (mtimeMs !== undefined) found.push({ id: entry.name, path, mtimeMs });
    }
  } catch {
    // Discovery reports a directory that can't be listed.
  }
  return found;
}

function agentLogs(directories: readonly (string | undefined)[], problems: Problem[]): FileTail[] {
  const logs: FileTail[] = [];
  const seen = new Set<string>();
  for (const directory of new Set(directories)) {
    if (!directory?.startsWith('/')) continue;
    for (const name of LOG_NAMES) {
      // glog keeps these names as links to the newest file, in a directory that belongs to the agent.
      const path = realPath(`${directory}/${name}`);
      if (path === undefined || seen.has(path)) continue;
      seen.add(path);
      try {
        const tail = readFileTail(path, LOG_BYTES);
        if (tail !== undefined) logs.push(tail);
      } catch (error) {
        if (!problems.some((problem) => problem.path === path)) problems.push(unchecked(path, error));
      }
    }
  }
  return logs;
}

/** Logs that can't be read are not reported: the agent's own log matters more. */
function systemLogs(paths: readonly string[]): FileTail[] {
  const logs: FileTail[] = [];
  for (const path of paths) {
    try {
      const tail = readFileTail(path, LOG_BYTES);
      if (tail !== undefined) logs.push(tail);
    } catch {
      // Usually only root and a special group may read it.
    }
  }
  return logs;
}
