import { runningCommands } from '../host/commands.js';
import { readText } from '../store/open-file.js';
import { DAY } from '../text/duration.js';

/** Where a Mesos agent keeps its tree, and the source of that information. */
export interface WorkDir {
  path: string;
  source: string;
}

/**
 * Work directories that known packages and installers use (the upstream RPM and Aurora's documentation,
 * mesos-mini, DC/OS, others seen in use, and the default of Mesos before 1.0).
 */
export const KNOWN_WORK_DIRS = [
  '/var/lib/mesos',
  '/var/lib/mesos/agent',
  '/var/lib/mesos/slave',
  '/var/mesos',
  '/opt/mesos',
  '/tmp/mesos',
] as const;

const AGENT_PROGRAMS = new Set(['mesos-agent', 'mesos-slave']);

/** The work directory in a command line, if the program is a Mesos agent and names one. Pure. */
export function workDirOfCommand(words: readonly string[]): string | undefined {
  const program = words[0]?.slice(words[0].lastIndexOf('/') + 1);
  // libtool runs the real program as lt-mesos-agent.
  if (program === undefined || !AGENT_PROGRAMS.has(program.replace(/^lt-/, ''))) return undefined;
  let found: string | undefined;
  for (const [i, word] of words.entries()) {
    if (word === '--work_dir') found = words[i + 1];
    else if (word.startsWith('--work_dir=')) found = word.slice('--work_dir='.length);
  }
  return found;
}

/** The value of MESOS_WORK_DIR in a file of shell assignments such as /etc/default/mesos-agent. Pure. */
export function workDirOfDefaults(text: string): string | undefined {
  let found: string | undefined;
  for (const line of text.split('\n')) {
    const match = /^\s*(?:export\s+)?MESOS_WORK_DIR=(?:"([^"]*)"|'([^']*)'|([^\s#]*))/.exec(line);
    if (match !== null) found = match[1] ?? match[2] ?? match[3];
  }
  return found;
}

/**
 * The work directories of this machine's agents: from the running agents, the environment and their configuration,
 * in that order. Only absolute paths; as in Mesos, a flag's value may also be `file:///…`, a file that holds the
 * path. Never throws: files that may not be read are skipped.
 */
export function agentWorkDirs(
  env: Readonly<Record<string, string | undefined>>,
  proc: string,
  etc: string,
  euid: number,
): WorkDir[] {
  const found: WorkDir[] = [];
  const add = (value: string | undefined, source: string) => {
    const path = value?.startsWith('file://') ? settingIn(value.slice('file://'.length))?.trim() : value;
    if (path?.startsWith('/')) found.push({ path, source });
  };
  for (const { words } of runningAgents(proc, euid)) add(workDirOfCommand(words), 'mesos-agent');
  add(env.MESOS_WORK_DIR, 'MESOS_WORK_DIR');
  for (const name of ['mesos-slave/work_dir', 'mesos-agent/work_dir']) {
    add(settingIn(`${etc}/${name}`)?.trim(), `${etc}/${name}`);
  }
  for (const name of ['default/mesos', 'default/mesos-slave', 'default/mesos-agent']) {
    add(workDirOfDefaults(settingIn(`${etc}/${name}`) ?? ''), `${etc}/${name}`);
  }
  return found;
}

/**
 * The trusted running agents that name a work directory. Anybody can give a process an agent's name, so only those
 * of root and of our own user are trusted. An agent in its own pid namespace does not count as this machine's: root
 * in a container is a different user, and its paths mean different places.
 */
export function runningAgents(proc: string, euid: number): { pid: number; words: string[] }[] {
  const isTrusted = (uids: readonly number[]) =>
    uids.every((uid) => uid === 0) || uids.every((uid) => uid === euid);
  return runningCommands(proc, 'mesos-').filter(
    ({ words, uids, nested }) => !nested && isTrusted(uids) && workDirOfCommand(words) !== undefined,
  );
}

/** A settings file has one line or a few. */
const MOST_SETTING_BYTES = 64 * 1024;

/** The contents of an administrator's settings file; undefined if it is absent, unreadable or not a regular file. */
function settingIn(path: string): string | undefined {
  try {
    return readText(path, { links: 'follow', max: MOST_SETTING_BYTES });
  } catch {
    return undefined;
  }
}

/** A flag's value in a command line. Pure. */
export function flagOf(words: readonly string[], name: string): string | undefined {
  for (const [i, word] of words.entries()) {
    if (word === `--${name}`) return words[i + 1];
    if (word.startsWith(`--${name}=`)) return word.slice(name.length + 3);
  }
  return undefined;
}

/** A flag's value in the agent's configuration: one file per flag, as in the Mesos packages. */
export function configuredFlag(name: string, etc: string): string | undefined {
  return (settingIn(`${etc}/mesos-slave/${name}`) ?? settingIn(`${etc}/mesos-agent/${name}`))?.trim();
}

/** An agent's defaults for these flags (Mesos, constants.hpp). */
export const GC_DELAY_MS = 7 * DAY;
export const GC_DISK_HEADROOM = 0.1;

/** A flag's value from the running agent, else from its configuration. Undefined if neither has it. */
export function agentFlag(name: string, proc: string, etc: string, euid: number): string | undefined {
  for (const { words } of runningAgents(proc, euid)) {
    const value = flagOf(words, name);
    if (value !== undefined) return value;
  }
  return configuredFlag(name, etc);
}
