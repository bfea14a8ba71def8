import { z } from 'zod';
import { TASK_STATES } from '../checkpoint/records.js';
import { problems } from './problem.js';

export const runDaemon = z
  .object({
    task_id: z.string(),
    root: z.string(),
    sandbox: z.string(),
    runner: z.object({ pid: z.int() }),
    problems,
  })
  .meta({
    title: 'thermos run --daemon --json',
    description:
      'A task that was started. Without --daemon, the document is that of inspect at the end of the task.',
  });
export type RunDaemonDocument = z.infer<typeof runDaemon>;

const state = z.union([z.enum([...TASK_STATES, 'UNKNOWN']), z.int()]);

export const kill = z
  .object({
    tasks: z.array(
      z.object({
        task_id: z.string(),
        root: z.string(),
        was: state.describe('The state before.'),
        now: state.describe('The state now; with --dry-run, as before.'),
        signalled: z.array(z.int()).describe('Pids that were sent a signal by this command.'),
      }),
    ),
    problems,
  })
  .meta({ title: 'thermos kill --json', description: 'The result for each task.' });
export type KillDocument = z.infer<typeof kill>;
