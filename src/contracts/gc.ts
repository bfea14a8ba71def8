import { z } from 'zod';
import { PHASES } from '../layout/root-paths.js';
import { problems } from './problem.js';
import { layout } from './task.js';

const action = z.object({
  kind: z.enum(['metadata', 'logs', 'data']),
  path: z.string(),
  bytes: z.int().min(0).describe('Disk space, as du counts it, that is or would be freed.'),
  result: z.enum(['deleted', 'would-delete', 'kept', 'refused', 'failed']),
  why: z.string().optional().describe('Why it was not deleted.'),
  hint: z
    .string()
    .optional()
    .describe('What to add to the command so that it is deleted, if that is possible.'),
});

const orphan = z
  .object({
    was: z.string(),
    becomes: z.string().describe('LOST, or KILLED for the scheduler, or the state in which it ended.'),
    result: z.enum(['done', 'would-do', 'refused', 'failed']),
    killed: z.array(z.int()).describe('Pids that were signalled.'),
    why: z.string().optional(),
  })
  .describe('A task whose runner died: gc records its last status, and can collect it the next time.');

/** A task, and what the scheduler expects of it. */
export const reconcileRow = z.object({
  task_id: z.string(),
  root: z.string().optional(),
  local: z.enum([...PHASES, 'absent']),
  local_state: z.string().optional(),
  expected: z.string().describe('A schedule status; unknown if the scheduler has none.'),
  action: z.enum(['none', 'kill', 'collect', 'send-final-state', 'send-lost']),
  send: z.object({ state: z.string(), message: z.string() }).optional(),
});

export const gc = z
  .object({
    dry_run: z.boolean(),
    tasks: z.array(
      z.object({
        task_id: z.string(),
        root: z.string(),
        layout,
        state: z.string().describe('What its streams recorded.'),
        finished_ms: z.number().optional().describe('Milliseconds since the epoch.'),
        finished_by: z
          .enum(['status', 'task-file', 'stream-file'])
          .optional()
          .describe(
            'The source of that time: the last status, or the time of a file if the stream has none.',
          ),
        reason: z.string(),
        rule: z
          .string()
          .optional()
          .describe('The reason without what differs from task to task: tasks can be counted by it.'),
        actions: z.array(action),
        orphan: orphan.optional(),
      }),
    ),
    freed_bytes: z.int().min(0),
    reconcile: z
      .array(reconcileRow)
      .optional()
      .describe('Only with --retained: the state of each task here, and what the scheduler expects.'),
    problems,
  })
  .meta({ title: 'thermos gc --json', description: 'What was removed, or would be.' });
export type GcDocument = z.infer<typeof gc>;
export type GcTask = GcDocument['tasks'][number];
export type GcAction = GcTask['actions'][number];
