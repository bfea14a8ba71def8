import { UsageError } from '../errors/errors.js';

/** What to do with Aurora's client instead, for each command that cannot change a host that it only reads from. */
const AURORA: Readonly<Record<string, string>> = {
  kill: 'end the instance with: aurora job kill CLUSTER/ROLE/ENV/JOB/INSTANCE',
  run: 'start a job with: aurora job create CLUSTER/ROLE/ENV/JOB CONFIG',
  simplerun: 'start a job with: aurora job create CLUSTER/ROLE/ENV/JOB CONFIG',
  exec: 'run a command beside the task with: aurora task run CLUSTER/ROLE/ENV/JOB/INSTANCE COMMAND',
  restart: 'restart the instance with: aurora job restart CLUSTER/ROLE/ENV/JOB/INSTANCE',
  gc: 'the agent removes sandboxes by itself after its --gc_delay',
};

/** The commands that change what only the host itself can change. */
const ON_HOST: ReadonlySet<string> = new Set(['kill', 'gc', 'run', 'simplerun', 'exec', 'signal', 'restart']);

/** The error of a command that does not ask agents, with what to use instead. */
export function agentRefusal(command: string): UsageError {
  const why = ON_HOST.has(command)
    ? `${command} works only on the host of the task: an agent lets others look, not act`
    : `${command} cannot ask an agent`;
  const there = `ssh HOST thermos ${command} …`;
  const aurora = AURORA[command];
  const hint =
    aurora === undefined ? `do it on the host of the agent: ${there}` : `${aurora}; or on its host: ${there}`;
  return new UsageError('usage', why, hint);
}
