import { z } from 'zod';

const paths = z.array(z.string().regex(/^\//));

/** A file of defaults. It is read by `src/app/defaults-file.ts`, without zod; a test holds them together. */
export const defaults = z
  .strictObject({
    $schema: z.string().optional(),
    roots: paths.optional().describe('Task roots to search instead of the default ones; run uses the first.'),
    mesos_roots: paths.optional().describe('Work directories of Mesos agents to search.'),
    gc: z
      .strictObject({
        max_age: z.string().optional().describe('Same as --max-age: 90s, 1h30m, 2d.'),
        max_tasks: z.int().min(0).optional().describe('Same as --max-tasks.'),
        max_space: z.string().optional().describe('Same as --max-space: 20G, 500MB.'),
      })
      .optional()
      .describe('Limits of gc, when no task is named.'),
    color: z.enum(['auto', 'never']).optional().describe('never: as --no-color.'),
    pager: z.string().optional().describe('Same as THERMOS_PAGER; empty for none.'),
    masters: z
      .record(z.string(), z.string())
      .optional()
      .describe('Mesos masters, by the names that --master and TASK words (CLUSTER/ROLE/ENV/JOB) give them.'),
    credentials_file: z
      .string()
      .regex(/^\//)
      .optional()
      .describe('Same as --credentials-file, for agents and masters that are asked.'),
  })
  .meta({
    title: 'thermos config.json',
    description: '/etc/thermos/config.json, and ~/.config/thermos/config.json, which wins.',
  });
