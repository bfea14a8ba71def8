/**
 * Reads the files that a Mesos agent keeps below `meta`: messages, each preceded by its length in four bytes in the
 * machine's byte order (stout/protobuf.hpp). Field numbers: mesos.proto. Pure; malformed data is left out.
 */
import { doubleOf, fieldOf, fieldsOf, numberOf, textOf } from '../agent/protobuf.js';

/** The messages in a file, up to the first incomplete one. */
export function* framed(file: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 <= file.length; ) {
    const length = file.readUInt32LE(at);
    if (length > file.length - at - 4) return;
    yield file.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
}

export interface SlaveInfo {
  hostname?: string;
  port?: number;
  id?: string;
  /** Names of the attributes that the agent was started with. */
  attributes: string[];
}

/** `slave.info`; undefined for a file that holds no message, as after a hard reboot. */
export function parseSlaveInfo(file: Buffer): SlaveInfo | undefined {
  const [message] = framed(file);
  if (message === undefined || message.length === 0) return undefined;
  const attributes: string[] = [];
  for (const { number, bytes } of fieldsOf(message)) {
    const name = number === 5 ? textOf(bytes, 1) : undefined;
    if (name !== undefined) attributes.push(name);
  }
  const port = numberOf(message, 8);
  return { hostname: textOf(message, 1), port, id: textOf(fieldOf(message, 6)?.bytes, 1), attributes };
}

/** From `executor.info`: whether the executor runs in a Docker container, so that the image must contain what it needs. */
export function isDockerExecutor(file: Buffer): boolean {
  const [message] = framed(file);
  return numberOf(fieldOf(message, 11)?.bytes, 1) === 1;
}

const TASK_STATES = [
  'TASK_STARTING',
  'TASK_RUNNING',
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_STAGING',
  'TASK_ERROR',
  'TASK_KILLING',
  'TASK_DROPPED',
  'TASK_UNREACHABLE',
  'TASK_GONE',
] as const;

export interface TaskUpdate {
  state: string;
  message?: string;
  /** Seconds since the epoch. */
  timestamp?: number;
}

/** From `task.updates`: what the agent reported to the scheduler about a task, without the acknowledgements. */
export function parseTaskUpdates(file: Buffer): TaskUpdate[] {
  const updates: TaskUpdate[] = [];
  for (const record of framed(file)) {
    if (numberOf(record, 1) !== 0) continue;
    const update = fieldOf(record, 2)?.bytes;
    const status = fieldOf(update, 4)?.bytes;
    const state = numberOf(status, 2);
    if (state === undefined) continue;
    updates.push({
      state: TASK_STATES[state] ?? `state ${state}`,
      message: textOf(status, 4) || undefined,
      timestamp: doubleOf(status, 6) ?? doubleOf(update, 5),
    });
  }
  return updates;
}
