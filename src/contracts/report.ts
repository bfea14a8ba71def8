import { z } from 'zod';
import { problems } from './problem.js';

/** What samples of `top` have seen. */
const seen = {
  samples: z.int().min(1),
  from_ms: z.int().min(0).describe('When the first sample began.'),
  to_ms: z.int().min(0),
  cpu_mean: z.number().min(0).optional().describe('Cores; absent, as the others, if no sample knows it.'),
  cpu_max: z.number().min(0).optional(),
  rss_max_bytes: z.number().min(0).optional(),
};

const resourcesSeen = z.object({
  ...seen,
  disk_max_bytes: z.number().min(0).optional().describe('Of sandbox and logs.'),
  cpu_asked: z.number().min(0).optional().describe('Cores, of the task file; as recorded last.'),
  ram_asked_bytes: z.number().min(0).optional(),
  disk_asked_bytes: z.number().min(0).optional(),
  processes: z.array(z.object({ process: z.string(), ...seen })).describe('At most 100.'),
});
export type ResourcesSeenDocument = z.infer<typeof resourcesSeen>;

export const report = z
  .object({
    pages: z
      .array(
        z.object({
          task_id: z.string(),
          root: z.string(),
          path: z.string().describe('The page of the task; its text and its data are beside it.'),
          bytes: z.int().min(0).describe('The size of the page.'),
          resources_seen: resourcesSeen
            .optional()
            .describe('What the record of --usage has about the task; absent without samples.'),
        }),
      )
      .describe('Those that were written.'),
    index: z.string().optional().describe('The page that lists all of them.'),
    problems,
  })
  .meta({
    title: 'thermos report --json',
    description:
      'The pages that were written; with --watch, one such document per line, with what was rewritten.',
  });
export type ReportDocument = z.infer<typeof report>;
