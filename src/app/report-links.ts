import type { TaskRoot } from '../discovery/found.js';
import { readSmallFile } from '../doctor/file-tail.js';
import { parseSlaveInfo } from '../doctor/mesos-info.js';
import { UsageError } from '../errors/errors.js';
import { agentPaths, workDirAround } from '../layout/mesos.js';
import type { LogFile } from '../logs/list-logs.js';
import type { ReportLinks } from '../report/model.js';
import type { TaskView } from '../task/view.js';

/** The addresses of Mesos' servers, without a slash at the end. */
export interface LinkSources {
  /** The agent of each task. Default: none is known. */
  readonly agentOf?: (root: TaskRoot) => string | undefined;
  readonly masterUrl?: string;
}

/**
 * The address of a server. Throws UsageError for anything but http(s), and for one with a password, which a page would
 * show to everybody.
 */
export function serverAddress(text: string, flag: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw notAddress(flag, text);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw notAddress(flag, text);
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(
      'usage',
      `--${flag} must hold no user or password: everybody who sees the page sees it`,
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function notAddress(flag: string, text: string): UsageError {
  return new UsageError('usage', `--${flag} takes an http or https address, not '${text}'`);
}

/**
 * The agent as its executors know it from their environment; undefined outside of one, and if that is not an address.
 */
export function agentOfEnvironment(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { MESOS_AGENT_ENDPOINT, LIBPROCESS_SSL_ENABLED } = env;
  if (!MESOS_AGENT_ENDPOINT) return undefined;
  const isSecure = LIBPROCESS_SSL_ENABLED === '1' || LIBPROCESS_SSL_ENABLED === 'true';
  try {
    return serverAddress(`${isSecure ? 'https' : 'http'}://${MESOS_AGENT_ENDPOINT}`, 'agent-url');
  } catch {
    return undefined;
  }
}

/** The port of an agent that does not say it (mesos.proto). */
const AGENT_PORT = 5051;

/**
 * Gives the address of the agent that a root is of, by what that agent recorded about itself where its tasks are; undefined
 * if that cannot be read. Each agent is asked once.
 */
export function recordedAgents(): (root: TaskRoot) => string | undefined {
  const known = new Map<string, string | undefined>();
  return ({ mesos, run_dir }) => {
    const workDir = run_dir === undefined ? undefined : workDirAround(run_dir);
    if (mesos === undefined || workDir === undefined) return undefined;
    const { slaveInfo, meta } = agentPaths(workDir);
    const path = slaveInfo(mesos.agent_id);
    if (!known.has(path)) known.set(path, recordedAgent(path, meta));
    return known.get(path);
  };
}

function recordedAgent(path: string, below: string): string | undefined {
  const file = readSmallFile(path, { below });
  const { hostname, port = AGENT_PORT } = (file && parseSlaveInfo(file)) ?? {};
  if (hostname === undefined) return undefined;
  try {
    return serverAddress(`http://${hostname}:${port}`, 'agent-url');
  } catch {
    return undefined;
  }
}

/** Where logs and sandbox of a task are on the servers of Mesos; undefined for a task that is not one of Mesos. Pure. */
export function reportLinks(
  { mesos, root, sandbox }: Pick<TaskView, 'mesos' | 'root' | 'sandbox'>,
  logs: readonly LogFile[],
  { agentOf, masterUrl }: LinkSources,
): ReportLinks | undefined {
  // An agent gives only files of its own sandboxes.
  if (mesos === undefined || root.run_dir === undefined) return undefined;
  const links: { -readonly [Key in keyof ReportLinks]: ReportLinks[Key] } = {};
  if (masterUrl !== undefined) {
    const directory = sandbox?.found ? sandbox.path : root.run_dir;
    links.browse = `${masterUrl}/#/agents/${encodeURIComponent(mesos.agent_id)}/browse?path=${encodeURIComponent(directory)}`;
  }
  const agentUrl = logs.length === 0 ? undefined : agentOf?.(root);
  if (agentUrl !== undefined) {
    const downloads: Record<string, string> = {};
    for (const { path } of logs)
      downloads[path] = `${agentUrl}/files/download?path=${encodeURIComponent(path)}`;
    links.downloads = downloads;
  }
  return links.browse === undefined && links.downloads === undefined ? undefined : links;
}
