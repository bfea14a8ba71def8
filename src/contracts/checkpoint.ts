import { z } from 'zod';
import { PROCESS_STATES, TASK_STATES } from '../checkpoint/records.js';
import { problem, problems } from './problem.js';
import { integer64, names, seconds } from './values.js';

const unknownState = z.int().describe('A state that thermos has no name for.');
export const processState = z.union([z.enum(PROCESS_STATES), unknownState]);
export const taskState = z.union([z.enum(TASK_STATES), unknownState]);

/** The names are those of the Thrift IDL; a field that is not set in the stream is absent. */
export const header = z
  .object({
    task_id: z.string(),
    launch_time_ms: integer64,
    sandbox: z.string(),
    hostname: z.string(),
    user: z.string(),
    ports: names(integer64),
    log_dir: z.string(),
    uid: z.int(),
  })
  .partial()
  .meta({ id: 'RunnerHeader' });
export type HeaderDocument = z.infer<typeof header>;

export const taskStatus = z
  .object({ state: taskState, timestamp_ms: integer64, runner_pid: z.int(), runner_uid: z.int() })
  .partial()
  .meta({ id: 'TaskStatus' });
export type TaskStatusDocument = z.infer<typeof taskStatus>;

export const processStatus = z
  .object({
    seq: integer64,
    process: z.string(),
    state: processState,
    start_time: seconds,
    pid: z.int(),
    stop_time: seconds,
    return_code: z.int(),
    coordinator_pid: z.int(),
    fork_time: seconds,
  })
  .partial()
  .meta({
    id: 'ProcessStatus',
    description: 'One record about a process, or the merged records of one run.',
  });
export type ProcessStatusDocument = z.infer<typeof processStatus>;

export const history = names(z.array(processStatus)).describe(
  'The runs of each process, oldest first; see left_out.',
);

const gap = z
  .object({ at: z.int().min(0), count: z.int().min(1) })
  .meta({ id: 'Gap', description: 'Elements that are left out of a list: `count`, after the first `at`.' });

export const leftOut = z
  .object({
    statuses: gap.optional(),
    runs: names(gap).optional().describe('By process.'),
    records: z.int().min(1).optional().describe('Records of processes beyond the number that is kept.'),
  })
  .optional()
  .describe('What was too long to keep; absent if nothing was.');
export type LeftOutDocument = z.infer<typeof leftOut>;

export const read = z
  .object({
    header: header.nullable(),
    statuses: z.array(taskStatus),
    processes: history,
    records: z.int().min(0).describe('How many records were applied.'),
    bytes: z.int().min(0).describe('How many bytes those records take.'),
    left_out: leftOut,
    problems,
  })
  .meta({
    title: 'thermos read FILE --json',
    description: 'The state that is rebuilt from one checkpoint file.',
  });
export type ReadDocument = z.infer<typeof read>;

const line = { offset: z.int().min(0), length: z.int().min(0) };

export const record = z
  .union([
    z.object({ ...line, type: z.literal('runner_header'), value: header }),
    z.object({ ...line, type: z.literal('process_status'), value: processStatus }),
    z.object({ ...line, type: z.literal('task_status'), value: taskStatus }),
    z.object({ problem }),
  ])
  .meta({
    title: 'thermos read FILE --records --json, one line',
    description:
      'A record with the offset and length of its payload; or a problem: damage, which ends the stream, or ' +
      'replacement by another stream (checkpoint-replaced), whose records follow.',
  });
export type RecordDocument = z.infer<typeof record>;
