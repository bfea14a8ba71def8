import { z } from 'zod';
import { reconcileRow } from './gc.js';
import { codeOf, problems } from './problem.js';
import { agent, task } from './task.js';
import { coordinator } from './values.js';

const evidence = z.object({
  path: z.string().optional(),
  line: z.int().min(1).optional(),
  offset: z.int().min(0).optional().describe('In bytes, where the file is too long to count lines.'),
  text: z.string().describe('What is there.'),
  agent: z.string().optional().describe('The address of the agent that has it, with --agent.'),
  task_id: z.string().optional(),
});

export const finding = z
  .object({
    code: codeOf(['runner-dead', 'executor-never-started']),
    severity: z
      .enum(['error', 'warning', 'note'])
      .describe('note: for information; nothing is wrong, and the exit code does not count it.'),
    what: z.string().describe('One sentence for a person.'),
    evidence: z.array(evidence),
    advice: z.array(z.string()).describe('What to do, for a person.'),
    task_ids: z.array(z.string()).describe('The tasks it is about.'),
  })
  .meta({ id: 'Finding' });
export type FindingDocument = z.infer<typeof finding>;

const event = z.object({
  time_ms: z.number().optional().describe('Milliseconds since the epoch; absent if nobody recorded it.'),
  what: z.string(),
  process: z.string().optional(),
  run: z.int().min(0).optional(),
  path: z.string().optional().describe('The source.'),
});

export const doctor = z
  .object({
    findings: z.array(finding),
    checked: z.object({ roots: z.int().min(0), tasks: z.int().min(0), agents: z.int().min(0) }),
    task: task
      .pick({ task_id: true, root: true, layout: true, phase: true, state: true, verdict: true, agent: true })
      .optional()
      .describe('With TASK; absent if there is only the run directory of an executor that never started it.'),
    story: z.array(event).optional().describe('With TASK: what happened to it, in order of time.'),
    coordinator: coordinator.optional(),
    reconcile: z
      .array(
        reconcileRow.extend({
          agent: agent.optional(),
          recent: z
            .literal(true)
            .optional()
            .describe('One side has changed within a minute, and may not have told the other yet.'),
        }),
      )
      .optional()
      .describe('With --agent or --master: the state of each task, or of TASK, and what is expected.'),
    reconcile_source: z
      .enum(['file', 'scheduler', 'master', 'agents'])
      .optional()
      .describe(
        'Who expects it: the scheduler, as --retained says or when it was asked; the master; or the agents, as they tell of their executors.',
      ),
    problems: problems.describe('What could not be checked.'),
  })
  .meta({ title: 'thermos doctor [TASK] --json', description: 'What is wrong here, why, and what to do.' });
export type DoctorDocument = z.infer<typeof doctor>;
