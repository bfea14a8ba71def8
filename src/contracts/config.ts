import { z } from 'zod';
import { problems } from './problem.js';
import { integer64, names } from './values.js';

const resources = z.object({
  cpu: z.number().describe('Cores.'),
  ram: integer64.describe('Bytes.'),
  disk: integer64.describe('Bytes.'),
  gpu: integer64,
});

const logger = z.object({
  destination: z.enum(['file', 'console', 'both', 'none']),
  mode: z.enum(['standard', 'rotate']),
  rotate: z.object({ log_size: integer64.describe('Bytes.'), backups: integer64 }).optional(),
});

const process = z
  .object({
    name: z.string(),
    cmdline: z.string(),
    max_failures: integer64.describe('0: always run again.'),
    min_duration: integer64.describe('Seconds from the end of a run to the next.'),
    daemon: z.boolean(),
    ephemeral: z.boolean(),
    final: z.boolean(),
    resources: resources.optional(),
    logger: logger.optional(),
  })
  .meta({ id: 'ConfigProcess' });

/** A task as the original writes it to the task file: defaults are filled in, unset fields are absent. */
export const configTask = z
  .object({
    name: z.string(),
    processes: z.array(process).optional(),
    constraints: z.array(z.object({ order: z.array(z.string()).optional() })),
    resources: resources.optional(),
    max_failures: integer64.describe('0: any number of its processes may fail.'),
    max_concurrency: integer64.describe('0: any number of processes at once.'),
    finalization_wait: integer64.describe('Seconds.'),
    user: z.string().optional(),
  })
  .meta({ id: 'ConfigTask' });

export const inspectConfig = z
  .object({
    task: z
      .union([configTask, process])
      .describe('Evaluated; references that only a run can resolve are kept: {{thermos.ports[http]}}.'),
    ports: z.array(z.string()).describe('Names of the ports that a run needs and that have no number yet.'),
    lint: problems.describe('If it contains an error, no run would accept the task, and the exit code is 1.'),
  })
  .meta({ title: 'thermos inspect CONFIG --json', description: 'The task of a config.' });
export type InspectConfigDocument = z.infer<typeof inspectConfig>;

export const dryRun = z
  .object({
    task: configTask.describe('The command lines are exactly what bash would get.'),
    task_id: z.string(),
    root: z.string(),
    sandbox: z.string(),
    user: z.string(),
    ports: names(integer64),
    problems,
  })
  .meta({ title: 'thermos run CONFIG --dry-run --json', description: 'The task that would be run.' });

export const init = z
  .object({
    path: z.string().describe('The config that was written, absolute.'),
    bytes: z.int().min(0),
  })
  .meta({ title: 'thermos init --json', description: 'The config that was written.' });
export type InitDocument = z.infer<typeof init>;
