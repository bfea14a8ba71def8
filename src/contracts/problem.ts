import { z } from 'zod';
import type { ProblemCode } from '../errors/codes.js';

/**
 * A code: one of the list in documents that we write, and any string in the schema, so that documents of newer
 * versions, with more codes, match this schema too.
 */
export function codeOf(examples: [ProblemCode, ProblemCode]): z.ZodType<ProblemCode> {
  const [one, another] = examples;
  const code = z
    .string()
    .describe(`Stable and kebab-case, as \`${one}\` or \`${another}\`; see \`thermos help codes\`.`);
  return code as z.ZodType<string> as z.ZodType<ProblemCode>;
}

export const problem = z
  .object({
    code: codeOf(['root-missing', 'checkpoint-damaged']),
    message: z.string().describe('One sentence for a person.'),
    severity: z.enum(['error', 'warning']),
    path: z.string().optional(),
    offset: z.int().min(0).optional().describe('Byte offset in the file at `path`.'),
    line: z.int().min(1).optional(),
    task_id: z.string().optional(),
    process: z.string().optional(),
    field: z.string().optional(),
    agent: z.string().optional().describe('With --agent: the address of its agent.'),
    hint: z.string().optional(),
  })
  .meta({
    id: 'Problem',
    description: 'Something that could not be read, or is wrong, reported beside the answer.',
  });

export const problems = z.array(problem);

/** What every command prints in place of its document when it fails. */
export const failure = z
  .object({
    error: z.object({
      code: codeOf(['usage', 'task-not-found']),
      message: z.string(),
      hint: z.string().optional().describe('What to try.'),
      problems: problems
        .optional()
        .describe('Other problems that were found, or each error if there are several.'),
    }),
  })
  .meta({ title: 'thermos: a failed command', description: 'Any command with --json that fails.' });
