import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import type { CheckpointRecord } from '../../src/checkpoint/records.js';
import { RUNNER } from '../../src/layout/task-paths.js';
import type { AgentOptions } from './agent.js';
import { sandboxesIn } from './sandboxes.js';

const FRAMEWORK = 'F';
const CONTAINER = 'c1';

const bytesOf = (record: CheckpointRecord) => encodeFrame(encodeRecord(record));

/** Where a task of a made agent is. */
export function runOf(workDir: string, agent: string, task: string): string {
  return join(
    workDir,
    'slaves',
    agent,
    'frameworks',
    FRAMEWORK,
    'executors',
    `thermos-${task}`,
    'runs',
    CONTAINER,
  );
}

export function streamOf(workDir: string, agent: string, task: string): string {
  return join(runOf(workDir, agent, task), 'checkpoints/checkpoints', task, RUNNER);
}

/** The process of the task is started, as its runner would record it. */
export function startProcess(stream: string): void {
  const own = { process: 'p', coordinator_pid: 8, fork_time: 1_700_000_001.5 };
  const records = [
    { process: 'p', seq: 0, state: 'WAITING' as const },
    { ...own, seq: 1, state: 'FORKED' as const },
  ].map((value) => bytesOf({ type: 'process_status', value }));
  appendFileSync(stream, Buffer.concat(records));
}

/** As many agents with as many active tasks each, on disk below a work directory. */
export function makeFleet(workDir: string, agents: number, tasks: number): AgentOptions[] {
  return Array.from({ length: agents }, (_, i) => {
    const id = `S${i}`;
    for (let task = 0; task < tasks; task++) makeTask(workDir, id, `role-prod-web-${i * tasks + task}`);
    return { id, workDir, sandboxes: sandboxesIn(workDir, id) };
  });
}

function makeTask(workDir: string, agent: string, task_id: string): void {
  const run = runOf(workDir, agent, task_id);
  const stream = streamOf(workDir, agent, task_id);
  const active = join(run, 'checkpoints/tasks/active');
  mkdirSync(join(stream, '..'), { recursive: true });
  mkdirSync(active, { recursive: true });
  const task = { name: 'web', processes: [{ name: 'p', cmdline: 'true' }] };
  writeFileSync(join(active, task_id), JSON.stringify(task));
  const sandbox = join(run, 'sandbox');
  const header = { task_id, launch_time_ms: 1_700_000_000_000, sandbox, log_dir: join(sandbox, '.logs') };
  const status = { state: 'ACTIVE' as const, timestamp_ms: 1_700_000_000_001, runner_pid: 7, runner_uid: 0 };
  writeFileSync(
    stream,
    Buffer.concat([
      bytesOf({ type: 'runner_header', value: { ...header, hostname: 'h', user: 'role' } }),
      bytesOf({ type: 'task_status', value: status }),
    ]),
  );
}
