import { z } from 'zod';
import { PHASES } from '../layout/root-paths.js';
import { problems } from './problem.js';
import { layout } from './task.js';

const action = z.object({
  kind: z.enum(['metadata', 'logs', 'data']),
  path: z.string(),
  bytes: z.int().min(0).describe('Of the disk, as du counts them: what is freed, or would be.'),
  result: z.enum(['deleted', 'would-delete', 'kept', 'refused', 'failed']),
  why: z.string().optional().describe('Why it was not deleted.'),
  hint: z.string().optional().describe('What to say so that it goes, if that is a matter of saying it.'),
});

const orphan = z
  .object({
    was: z.string(),
    becomes: z.string().describe('LOST, or KILLED for the scheduler, or the state that it ended in.'),
    result: z.enum(['done', 'would-do', 'refused', 'failed']),
    killed: z.array(z.int()).describe('Pids that were signalled.'),
    why: z.string().optional(),
  })
  .describe('A task whose runner died: it gets its last status, and can be collected the next time.');

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
          .describe('What says so: the last status, or the time of a file where the stream says nothing.'),
        reason: z.string(),
        actions: z.array(action),
        orphan: orphan.optional(),
      }),
    ),
    freed_bytes: z.int().min(0),
    reconcile: z
      .array(
        z.object({
          task_id: z.string(),
          root: z.string().optional(),
          local: z.enum([...PHASES, 'absent']),
          local_state: z.string().optional(),
          expected: z.string().describe('A schedule status; unknown if the scheduler has none.'),
          action: z.enum(['none', 'kill', 'collect', 'send-final-state', 'send-lost']),
          send: z.object({ state: z.string(), message: z.string() }).optional(),
        }),
      )
      .optional()
      .describe('Only with --retained: what each task is here, and what the scheduler believes.'),
    problems,
  })
  .meta({ title: 'thermos gc --json', description: 'What was removed, or would be.' });
export type GcDocument = z.infer<typeof gc>;
