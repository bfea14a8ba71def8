import { z } from 'zod';
import { FILE_TYPES } from '../sandbox/sandbox-tree.js';
import { problem, problems } from './problem.js';
import { integer64 } from './values.js';

const entry = z.object({
  name: z
    .string()
    .describe(
      'From `path`; with --recursive, with the directories in between. Bytes that are not UTF-8 become U+FFFD.',
    ),
  type: z.enum(FILE_TYPES),
  bytes: integer64,
  mtime_ms: z.int().describe('When the content changed, milliseconds since the epoch.'),
  mode: z
    .string()
    .regex(/^[0-7]{4}$/)
    .describe('Permission bits in octal, such as `0644`.'),
  owner: z.string().describe('The name of a user; the uid of one without a name.'),
  target: z.string().optional().describe('Of a link, as written.'),
});

export const ls = z
  .object({
    task_id: z.string(),
    path: z.string().describe('What is listed: a path on this host, without links.'),
    entries: z.array(entry),
    problems,
  })
  .meta({ title: 'thermos ls TASK --json', description: 'Files of the sandbox of a task.' });
export type LsDocument = z.infer<typeof ls>;

export const cat = z
  .union([
    z.object({
      task_id: z.string(),
      path: z.string().describe('The file: a path on this host.'),
      offset: z.int().min(0).describe('Of the first byte, in the file.'),
      data: z.string().describe('A piece of the file.'),
      encoding: z
        .enum(['utf8', 'base64'])
        .describe('How `data` is encoded: base64 if the bytes are not UTF-8.'),
    }),
    z.object({ problem }),
  ])
  .meta({
    title: 'thermos cat TASK:PATH --json, one line',
    description: 'A piece of a file, the first ones first, or a problem. An empty file has one empty piece.',
  });
export type CatDocument = z.infer<typeof cat>;

export const cp = z
  .object({
    copied: z.array(
      z.object({
        task_id: z.string(),
        root: z.string(),
        path: z.string().describe('What was copied: a path on this host.'),
        to: z.string(),
        files: z.int().min(0).describe('Files and links that were copied; directories are not counted.'),
        bytes: z.int().min(0),
      }),
    ),
    problems,
  })
  .meta({ title: 'thermos cp TASK:PATH DEST --json', description: 'What was copied out of sandboxes.' });
export type CpDocument = z.infer<typeof cp>;
