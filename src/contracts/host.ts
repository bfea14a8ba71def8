import { z } from 'zod';
import { problems } from './problem.js';
import { agent, layout } from './task.js';
import { coordinator } from './values.js';

export const roots = z
  .object({
    roots: z.array(
      z.object({
        path: z.string(),
        layout,
        agent: agent.optional(),
        source: z.string().describe('How it was found, for a person.'),
        tasks: z.int().min(0),
        readable: z.boolean(),
      }),
    ),
    problems,
  })
  .meta({ title: 'thermos roots --json', description: 'Where thermos looks for tasks.' });
export type RootsDocument = z.infer<typeof roots>;

export const version = z
  .object({
    version: z.string(),
    node: z.string(),
    coordinator: coordinator.optional(),
    v8: z.string().optional().describe('The engine of Node, with --verbose, as is all that follows.'),
    pyodide: z.string().optional().describe('The Python of configs: the package that it is made of.'),
    cpython: z.string().optional().describe('The version of that Python.'),
    form: z
      .enum(['source', 'npm', 'tarball', 'file', 'deb', 'rpm'])
      .optional()
      .describe('What was installed; source: a build of the repository.'),
    place: z.string().optional().describe('The directory of the package.'),
    commit: z.string().optional().describe('What was built; not of a source.'),
    built: z.string().optional().describe('The time of that commit, RFC 3339.'),
  })
  .meta({ title: 'thermos version --json' });
export type VersionDocument = z.infer<typeof version>;

export const help = z
  .object({ help: z.string().describe('The text for a person.') })
  .meta({ title: 'thermos help --json' });

export const completion = z
  .object({ shell: z.enum(['bash', 'zsh', 'fish']), script: z.string() })
  .meta({ title: 'thermos completion SHELL --json' });
