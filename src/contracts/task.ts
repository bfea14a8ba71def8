import { z } from 'zod';
import { TASK_STATES } from '../checkpoint/records.js';
import { LAYOUT_NAMES } from '../layout/layouts.js';
import { STREAMS } from '../layout/log-paths.js';
import { PHASES } from '../layout/root-paths.js';
import { VERDICTS } from '../task/verdict.js';
import { header, history, leftOut, processState, taskStatus } from './checkpoint.js';
import { problem, problems } from './problem.js';
import { integer64, names, seconds } from './values.js';

export const layout = z.enum(LAYOUT_NAMES);

const alive = z.boolean().nullable().describe('null: it cannot be determined from here.');

export const processSummary = z
  .object({
    process: z.string(),
    state: processState.describe('Of the latest run; WAITING if there was none.'),
    runs: z.int().min(0),
    failures: z.int().min(0).describe('How many of the runs are FAILED.'),
    pid: z.int().optional(),
    coordinator_pid: z.int().optional(),
    return_code: z.int().optional().describe('Exit status, or minus the number of the signal.'),
    start_time: seconds.optional(),
    stop_time: seconds.optional(),
    max_failures: z.int().optional(),
    cmdline: z.string().optional(),
  })
  .meta({ id: 'Process' });
export type ProcessDocument = z.infer<typeof processSummary>;

/** Of a root, and so of a task, that an agent gave. */
export const agent = z
  .object({
    id: z.string().describe('As the agent names itself; empty if it does not.'),
    url: z.string().describe('As --agent named it, in full.'),
    hostname: z.string().describe('As the agent says; empty if it does not.'),
  })
  .describe('The agent that it was read from, with --agent.');

const taskFields = {
  task_id: z.string(),
  root: z.string().describe('The directory that holds tasks/ and checkpoints/.'),
  layout,
  phase: z.enum(PHASES),
  state: z
    .union([z.enum([...TASK_STATES, 'UNKNOWN']), z.int()])
    .describe('What the streams record; a number if it has no name.'),
  verdict: z.enum(VERDICTS).describe('How that compares with the host.'),
  state_timestamp_ms: integer64.optional(),
  launch_time_ms: integer64.optional(),
  name: z.string().optional(),
  user: z.string().optional(),
  uid: z.int().optional(),
  hostname: z.string().optional(),
  owner: z.string().optional(),
  sandbox: z.string().optional().describe('Where it is here.'),
  recorded_sandbox: z.string().optional().describe('As in the stream, if the sandbox is elsewhere here.'),
  log_dir: z.string().optional(),
  recorded_log_dir: z.string().optional().describe('As in the stream, if the logs are elsewhere here.'),
  ports: names(integer64).optional(),
  runner: z.object({ pid: z.int().optional(), uid: z.int().optional(), alive }).optional(),
  processes: z.array(processSummary),
  mesos: z
    .object({
      agent_id: z.string(),
      framework_id: z.string(),
      executor_id: z.string(),
      container_id: z.string(),
    })
    .optional(),
  agent: agent.optional(),
  problems,
};

export const task = z.object(taskFields).meta({ id: 'Task' });
export type TaskDocument = z.infer<typeof task>;

export const status = z
  .object({
    tasks: z.array(task),
    tasks_left_out: z
      .int()
      .min(1)
      .optional()
      .describe('How many more tasks pass the filters; absent if none was left out because of --limit.'),
    roots: z.array(z.object({ path: z.string(), layout, agent: agent.optional(), tasks: z.int().min(0) })),
    problems,
  })
  .meta({
    title: 'thermos status --json',
    description: 'The tasks of this host, or of agents; with --watch, one such document per line.',
  });

export const statusStream = z
  .union([
    z.object({ task }),
    z.object({ problem }).describe('Of the search; each task has its own.'),
    z
      .object({
        end: z.object({
          tasks: z.int().min(0).describe('How many lines with a task there were.'),
          roots: z.int().min(0).describe('In how many roots tasks were looked for.'),
          agents: z.int().min(0).optional().describe('How many agents were asked, with --agent or --master.'),
          problems: z.int().min(0).describe('How many there are, including those of the tasks.'),
        }),
      })
      .describe('The last line. Without it, the answer is not complete.'),
  ])
  .meta({
    title: 'thermos status --json --stream, one line',
    description: 'A task, a problem, or the totals.',
  });
export type StatusStreamLine = z.infer<typeof statusStream>;

export const logFile = z.object({
  process: z.string(),
  run: z.int().min(0),
  stream: z.enum(STREAMS),
  path: z.string(),
  bytes: z.int().min(0),
});
export type LogDocument = z.infer<typeof logFile>;

const milliseconds = z.int().min(0);

const criticalPath = z.object({
  duration_ms: milliseconds.describe(
    'From the launch to the end of the task; of one that is not over, so far.',
  ),
  steps: z
    .array(
      z.object({
        process: z.string(),
        runs: z.int().min(1),
        wait_ms: milliseconds.describe('From the end of the step before, or the launch, to the first fork.'),
        run_ms: milliseconds.describe('In its runs.'),
        between_ms: milliseconds.describe('Between its runs.'),
      }),
    )
    .describe(
      'In order of time. Each process had to wait for the one before: for its success, for the place that its end freed, or, if the process is final, for its end.',
    ),
  rest_ms: milliseconds.describe('From the end of the last step to the end of the task.'),
});

const bytes = z.int().min(0);
const count = z.int().min(0);

const usage = z.object({
  cpu_average: z
    .number()
    .min(0)
    .optional()
    .describe(
      'Processor time in cores, on average since its running processes started. `top` has that of an interval.',
    ),
  cpu_asked: z.number().optional().describe('Cores, of the task file.'),
  rss_bytes: bytes.optional().describe('Resident memory; shared pages count in each process.'),
  ram_asked_bytes: z.number().optional(),
  threads: count.optional(),
  pids: count.optional().describe('How many processes of the operating system there are.'),
  disk_bytes: bytes.optional().describe('What sandbox and logs occupy on disk.'),
  disk_at_least: z
    .literal(true)
    .optional()
    .describe('Not all of it could be counted at once: disk_bytes is a lower bound.'),
  disk_asked_bytes: z.number().optional(),
  throttled_ratio: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('The share of the periods in which the cgroup reached its limit, since it was made.'),
  oom_kills: count.optional().describe('In its cgroup, since that was made.'),
  cpu_limit: z.number().optional().describe('Cores, of the cgroup.'),
  ram_limit_bytes: z.number().optional().describe('Of the cgroup.'),
  pids_count: count.optional().describe('Processes and threads in the cgroup, as its limit counts them.'),
  pids_limit: count.optional().describe('Processes and threads, of the cgroup.'),
});
export type UsageDocument = z.infer<typeof usage>;

export const inspect = z
  .object({
    ...taskFields,
    header: header.nullable(),
    statuses: z.array(taskStatus),
    history,
    left_out: leftOut,
    task: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('The task file, unchanged; null if there is none.'),
    ordering: z
      .array(z.object({ process: z.string(), after: z.array(z.string()) }))
      .describe('Which processes each one waits for.'),
    resources: z
      .object({ cpu: z.number(), ram: z.number(), disk: z.number(), gpu: z.number() })
      .partial()
      .nullable()
      .describe('Cores, bytes, bytes, devices, as the task file asks for them.'),
    usage: usage.optional().describe('What an active task uses now; what is not known is absent.'),
    logs: z.array(logFile),
    reasons: z
      .array(
        z.object({
          time_ms: z.int(),
          code: z.string().describe('A problem code.'),
          message: z.string(),
          process: z.string().optional(),
          run: z.int().optional(),
          by: z.string().optional().describe('The user who asked for it.'),
        }),
      )
      .optional()
      .describe(
        'What the program that ran or ended the task knew and the stream does not hold. Unlike the stream, nothing else is derived from it.',
      ),
    why: z.array(z.string()).describe('Lines for a person.'),
    critical_path: criticalPath
      .optional()
      .describe(
        'The chain of processes that determined how long the task took; its parts add up to the duration. Absent if nothing ran, or no times are known.',
      ),
  })
  .meta({ title: 'thermos inspect TASK --json', description: 'All that is known about one task.' });
export type InspectDocument = z.infer<typeof inspect>;

export const wait = z
  .object({
    met: z.boolean().describe('False if what --for names can no longer happen.'),
    why: z.string().optional().describe('Why it can no longer happen.'),
    task,
    problems,
  })
  .meta({ title: 'thermos wait TASK --json', description: 'The task at the end of the wait.' });
export type WaitDocument = z.infer<typeof wait>;

const logLine = z.object({
  task_id: z.string(),
  root: z.string().optional().describe('Only if the same task id is printed from several roots.'),
  process: z.string(),
  run: z.int().min(0),
  stream: z.enum(STREAMS),
  arrival_ms: z
    .number()
    .optional()
    .describe('When the line arrived, with --timestamps; absent for a line that was there before.'),
  line: z.string().describe('Without its newline; bytes that are not UTF-8 become U+FFFD.'),
  encoding: z
    .literal('base64')
    .optional()
    .describe('The line has bytes that are not UTF-8: `bytes` holds all of them, encoded in this way.'),
  bytes: z.string().optional().describe('The line as it is in the log; only with `encoding`.'),
});

export const tail = z
  .union([logLine, z.object({ problem })])
  .meta({ title: 'thermos tail TASK --json, one line', description: 'A line of a log, or a problem.' });

export const tailPath = z.union([logFile.extend({ task_id: z.string() }), z.object({ problem })]).meta({
  title: 'thermos tail TASK --path --json, one line',
  description: 'A file that a log is read from, or a problem.',
});
