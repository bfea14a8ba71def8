import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

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
): WorkDir[] {
  const found: WorkDir[] = [];
  const add = (value: string | undefined, source: string) => {
    const path = value?.startsWith('file://') ? readText(value.slice('file://'.length))?.trim() : value;
    if (path?.startsWith('/')) found.push({ path, source });
  };
  for (const { words } of runningAgents(proc)) add(workDirOfCommand(words), 'mesos-agent');
  add(env.MESOS_WORK_DIR, 'MESOS_WORK_DIR');
  for (const name of ['mesos-slave/work_dir', 'mesos-agent/work_dir']) {
    add(readText(`${etc}/${name}`)?.trim(), `${etc}/${name}`);
  }
  for (const name of ['default/mesos', 'default/mesos-slave', 'default/mesos-agent']) {
    add(workDirOfDefaults(readText(`${etc}/${name}`) ?? ''), `${etc}/${name}`);
  }
  return found;
}

/** The running agents that name a work directory. One buffer and three calls a process: hosts have thousands. */
export function runningAgents(proc: string): { pid: number; words: string[] }[] {
  const agents: { pid: number; words: string[] }[] = [];
  const buffer = Buffer.allocUnsafe(32 * 1024);
  let names: string[] = [];
  try {
    names = readdirSync(proc);
  } catch {
    // No /proc: nothing can be said of processes.
  }
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    try {
      const fd = openSync(`${proc}/${name}/cmdline`, 'r');
      try {
        const length = readSync(fd, buffer);
        if (buffer.indexOf('mesos-') === -1 || length === 0) continue;
        const words = buffer.toString('utf8', 0, length).split('\0');
        if (workDirOfCommand(words) !== undefined) agents.push({ pid: Number(name), words });
      } finally {
        closeSync(fd);
      }
    } catch {
      // Ended in between.
    }
  }
  return agents;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
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
  return (readText(`${etc}/mesos-slave/${name}`) ?? readText(`${etc}/mesos-agent/${name}`))?.trim();
}

/** A flag's value as the running agent has it, else as its configuration has it. Undefined if nothing says it. */
export function agentFlag(name: string, proc: string, etc: string): string | undefined {
  for (const { words } of runningAgents(proc)) {
    const value = flagOf(words, name);
    if (value !== undefined) return value;
  }
  return configuredFlag(name, etc);
}
