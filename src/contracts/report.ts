import { z } from 'zod';
import { problems } from './problem.js';

export const report = z
  .object({
    pages: z
      .array(
        z.object({
          task_id: z.string(),
          root: z.string(),
          path: z.string().describe('The page of the task; its text and its data are beside it.'),
          bytes: z.int().min(0).describe('The size of the page.'),
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
