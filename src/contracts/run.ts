import { z } from 'zod';
import { PROCESS_STATES, TASK_STATES } from '../checkpoint/records.js';
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

export const signal = z
  .object({
    task_id: z.string(),
    root: z.string(),
    process: z.string(),
    run: z.int().min(0).describe('The number of the run that was signalled.'),
    signal: z.string().describe('As `SIGHUP` or `SIGRTMIN+3`.'),
    number: z.int().min(1).describe('The number of the signal.'),
    pid: z.int().describe('The main process of the run.'),
    signalled: z.array(z.int()).describe('All pids that were sent the signal; with --all, more than `pid`.'),
    problems,
  })
  .meta({ title: 'thermos signal --json', description: 'A signal that was sent to a process of a task.' });
export type SignalDocument = z.infer<typeof signal>;

export const restart = z
  .object({
    task_id: z.string(),
    root: z.string(),
    process: z.string(),
    was: z
      .object({ run: z.int().min(0), pid: z.int() })
      .describe('The run that was ended; its stream records it as LOST.'),
    ended: z.enum(['terminated', 'killed']).describe('`killed`: it did not end within --grace.'),
    now: z
      .object({
        run: z.int().min(0),
        state: z.union([z.enum(PROCESS_STATES), z.int()]),
        pid: z.int().optional(),
      })
      .optional()
      .describe('The next run, when its command was started; absent with --no-wait.'),
    signalled: z.array(z.int()).describe('Pids that were sent a signal, that of the coordinator included.'),
    problems,
  })
  .meta({ title: 'thermos restart --json', description: 'A process of a live task that was restarted.' });
export type RestartDocument = z.infer<typeof restart>;
