import { z } from 'zod';
import { TASK_STATES } from '../checkpoint/records.js';
import { VERDICTS } from '../task/verdict.js';
import { problems } from './problem.js';
import { integer64 } from './values.js';

const side = z
  .object({
    task_id: z.string().optional().describe('Of a task on disk.'),
    root: z.string().optional(),
    state: z.union([z.enum([...TASK_STATES, 'UNKNOWN']), z.int()]).optional(),
    verdict: z.enum(VERDICTS).optional(),
    launch_time_ms: integer64.optional(),
    user: z.string().optional(),
    hostname: z.string().optional(),
    path: z.string().optional().describe('Of a config.'),
  })
  .meta({ id: 'Side' });

const milliseconds = z.int().min(0);
const value = z.union([z.string(), z.int()]);

export const diff = z
  .object({
    a: side,
    b: side,
    same: z.boolean().describe('Nothing in `config` and `outcome`.'),
    config: z
      .array(
        z.object({
          process: z.string().optional().describe("Absent for the task's own settings."),
          field: z
            .string()
            .optional()
            .describe(
              'As `max_failures` or `logger.mode`; `order` for two names that follow each other in a constraint; absent for a whole process.',
            ),
          change: z.enum(['added', 'removed', 'changed']),
          a: z.unknown().optional(),
          b: z.unknown().optional(),
        }),
      )
      .nullable()
      .describe('What differs in the tasks; null if one has no task file.'),
    outcome: z
      .array(
        z.object({
          process: z.string().optional().describe('Absent for the task.'),
          field: z.enum(['state', 'return_code', 'runs', 'failures']),
          a: value.optional(),
          b: value.optional(),
        }),
      )
      .nullable()
      .describe('What differs in how the task and the processes that both have ended; null beside a config.'),
    durations: z
      .array(
        z.object({
          process: z.string().optional().describe('Absent for the whole task, from its launch to its end.'),
          a_ms: milliseconds.optional().describe('Of all runs together; absent if it is not over.'),
          b_ms: milliseconds.optional(),
          factor: z.number().min(0).optional().describe('b_ms / a_ms.'),
        }),
      )
      .nullable()
      .describe('How long they took; null beside a config.'),
    problems,
  })
  .meta({ title: 'thermos diff A B --json', description: 'What differs between two tasks.' });
export type DiffDocument = z.infer<typeof diff>;
