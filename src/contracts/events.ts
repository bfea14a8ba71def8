import { z } from 'zod';
import { processState, taskState } from './checkpoint.js';
import { agent } from './task.js';

const recorded = z.union([processState, taskState]);

export const event = z
  .object({
    time_ms: z
      .int()
      .describe(
        'When it happened, as recorded. The stream has no time of its own for WAITING and LOST: then the nearest that is known.',
      ),
    task_id: z.string(),
    root: z.string().describe('The directory that holds tasks/ and checkpoints/.'),
    type: z.enum(['task', 'process']),
    state: recorded.describe('What the task or the run of the process is now.'),
    was: recorded
      .optional()
      .describe(
        'What it was before; absent for the first state. For a process, it may be that of the run before.',
      ),
    process: z.string().optional().describe('Of type process.'),
    run: z.int().min(0).optional().describe('If it is of type process: the number of its run, from 0.'),
    return_code: z
      .int()
      .optional()
      .describe('Exit status of the command, or minus the number of the signal, once it has ended.'),
    pid: z.int().optional().describe('Of the command, once it runs.'),
    agent: agent.optional(),
  })
  .meta({ id: 'Event', title: 'thermos events --json, one line', description: 'A transition.' });
export type EventDocument = z.infer<typeof event>;
