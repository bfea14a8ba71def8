import { z } from 'zod';
import { problems } from './problem.js';
import { agent } from './task.js';

const cpu = z
  .number()
  .min(0)
  .nullable()
  .describe('Processor time in cores, over the interval. null: it cannot be seen.');
const bytes = z.int().min(0);
const count = z.int().min(0);
const perCent = z.number().min(0);

/** What a task and a process use. */
const usage = {
  cpu,
  rss_bytes: bytes
    .nullable()
    .describe('Resident memory; shared pages count in each process. null: as of cpu.'),
  threads: count.nullable(),
  pids: count.nullable().describe('How many processes of the operating system there are.'),
};
const optionalUsage = {
  fds: count.optional().describe('Open file descriptors; absent if they may not be seen.'),
  pss_bytes: bytes.optional().describe('Memory, shared pages in parts; only with --pss.'),
  read_bytes: bytes.optional().describe('Read from storage in the interval; absent if it may not be seen.'),
  written_bytes: bytes
    .optional()
    .describe('Written to storage in the interval; absent if it may not be seen.'),
};

export const topTask = z.object({
  task_id: z.string(),
  root: z.string(),
  launch_time_ms: count
    .optional()
    .describe('When it was launched: distinguishes the task from another one with its id.'),
  ...usage,
  cpu_asked: z.number().optional().describe('Cores, of the task file.'),
  ram_asked_bytes: z.number().optional(),
  ...optionalUsage,
  disk_bytes: bytes.optional().describe('What sandbox and logs occupy on disk.'),
  disk_asked_bytes: z.number().optional(),
  disk_as_of_ms: z.int().optional().describe('When disk_bytes was measured.'),
  throttled_ms: z
    .number()
    .min(0)
    .optional()
    .describe('How long the cgroup of the container was held back in the interval, all processors together.'),
  oom_kills: count.optional().describe('In the cgroup of the container, since it was made.'),
  cpu_limit: z.number().optional().describe('Cores, of the cgroup.'),
  ram_limit_bytes: z.number().optional().describe('Of the cgroup.'),
  pids_count: count.optional().describe('Processes and threads in the cgroup, as its limit counts them.'),
  pids_limit: count.optional().describe('Processes and threads, of the cgroup.'),
  disk_limit_bytes: z.number().optional().describe('Of the sandbox, with --agent.'),
  agent: agent.optional(),
  pressure: z
    .object({ cpu: perCent.optional(), memory: perCent.optional(), io: perCent.optional() })
    .optional()
    .describe('The percentage of the last ten seconds during which a process of the cgroup waited.'),
  processes: z
    .array(
      z.object({
        process: z.string(),
        run: count,
        pid: z.int().optional().describe('As recorded; absent if the command has not been started.'),
        ...usage,
        ...optionalUsage,
      }),
    )
    .describe('Those that are running. Runners and coordinators are not counted.'),
});

export const top = z
  .object({
    time_ms: z.int(),
    interval_ms: z.number().min(0).describe('Since the reading that this one is compared with.'),
    tasks: z.array(topTask),
    problems,
  })
  .meta({
    title: 'thermos top --json',
    description:
      'What the active tasks of this host, or of agents, use: one such document per line, for each sample.',
  });
export type TopDocument = z.infer<typeof top>;
