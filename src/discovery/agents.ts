import { runningCommands } from '../host/commands.js';
import { readText } from '../store/open-file.js';
import { DAY } from '../text/duration.js';

/** Where a Mesos agent keeps its tree, and what says so. */
export interface WorkDir {
  path: string;
  source: string;
}

/**
 * Work directories of the packages and installers that are known (mesos.md of the project's facts: upstream
 * RPM and Aurora's documentation, mesos-mini, DC/OS, others seen, and the default of Mesos before 1.0).
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

/** The work directory in the words of a program, if the program is a Mesos agent and names one. Pure. */
export function workDirOfCommand(words: readonly string[]): string | undefined {
  const program = words[0]?.slice(words[0].lastIndexOf('/') + 1);
  // libtool starts the real program as lt-mesos-agent.
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
 * Where agents of this machine work: from the running ones, the environment, their configuration, in that
 * order. Only absolute paths; a flag's value may also be `file:///…` with the path inside, as Mesos has it.
 * Nothing here throws: what may not be read tells nothing.
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
 * The running agents that name a work directory and that are believed: anybody can give a process their name, so
 * only root's, and our own, are. One in a pid namespace of its own is none of this machine's: root in a container
 * is somebody else, and its paths mean other places.
 */
export function runningAgents(proc: string, euid: number): { pid: number; words: string[] }[] {
  const isBelieved = (uids: readonly number[]) =>
    uids.every((uid) => uid === 0) || uids.every((uid) => uid === euid);
  return runningCommands(proc, 'mesos-').filter(
    ({ words, uids, nested }) => !nested && isBelieved(uids) && workDirOfCommand(words) !== undefined,
  );
}

/** A file of settings is a line or a few. */
const MOST_SETTING_BYTES = 64 * 1024;

/** What an administrator wrote into a file; undefined if it is not there, may not be read or is none. */
function settingIn(path: string): string | undefined {
  try {
    return readText(path, { links: 'follow', max: MOST_SETTING_BYTES });
  } catch {
    return undefined;
  }
}

/** A flag's value in the words of a program. Pure. */
export function flagOf(words: readonly string[], name: string): string | undefined {
  for (const [i, word] of words.entries()) {
    if (word === `--${name}`) return words[i + 1];
    if (word.startsWith(`--${name}=`)) return word.slice(name.length + 3);
  }
  return undefined;
}

/** A flag's value as the agent's configuration has it: a file a flag, as Mesos' packages do. */
export function configuredFlag(name: string, etc: string): string | undefined {
  return (settingIn(`${etc}/mesos-slave/${name}`) ?? settingIn(`${etc}/mesos-agent/${name}`))?.trim();
}

/** What an agent without these flags does (Mesos, constants.hpp). */
export const GC_DELAY_MS = 7 * DAY;
export const GC_DISK_HEADROOM = 0.1;

/** A flag's value as the running agent has it, else as its configuration has it. Undefined if nothing says it. */
export function agentFlag(name: string, proc: string, etc: string, euid: number): string | undefined {
  for (const { words } of runningAgents(proc, euid)) {
    const value = flagOf(words, name);
    if (value !== undefined) return value;
  }
  return configuredFlag(name, etc);
}
