import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentOf, type Json } from '../../src/config/document.js';
import {
  checkedTasks,
  evaluate,
  type LoadedConfig,
  orNothing,
  prepareRun,
  type Request,
} from '../../src/config/evaluate.js';
import { loadConfig } from '../../src/config/load.js';
import { ConfigError, type EvaluationPhase } from '../../src/config/program.js';
import { pythonExecutor } from '../../src/config/python/execute.js';
import { portsOf, taskPlan, validate } from '../../src/config/validate.js';
import { hasError } from '../../src/errors/problem.js';
import { REPOSITORY } from '../e2e/harness.js';
import { CORPUS, corpus, type Expected } from './corpus.js';

/** The original's phases in ours. It loads a JSON config that it can't read as one without tasks. */
const PHASES: Record<string, EvaluationPhase> = {
  load: 'load',
  typecheck: 'typecheck',
  select: 'select',
  validate: 'validate',
  run: 'validate',
  pick: 'select',
  validate_job: 'typecheck',
  convert: 'validate',
};

/** Verdicts of Python 2 that Python 3 can't share; what ours is. */
const OURS: Record<string, EvaluationPhase | undefined> = {
  unicode_bytes_literal: undefined,
  json_not_json: 'load',
};

const python = pythonExecutor(join(REPOSITORY, 'dist'));

async function load({ file, options }: Expected): Promise<LoadedConfig> {
  return loadConfig(join(CORPUS, file), {
    environment: { HOME: '/home/corpus', USER: 'corpus', LOGNAME: 'corpus', ...options.env },
    cwd: CORPUS,
    print: () => {},
    python: async () => python,
  });
}

function requestOf({ options }: Expected): Request {
  return {
    task: options.task,
    bindings: options.bindings ?? [],
    ports: new Map(Object.entries(options.ports ?? {})),
    instance: options.instance,
    hostname: 'host1.example.com',
  };
}

interface Verdict {
  phase: EvaluationPhase | undefined;
  tasks?: { [name: string]: Json }[];
  ports?: string[];
  details?: unknown;
  cmdlines?: Record<string, Json>;
}

/** What we make of a case, in the words of its expectation. */
async function verdictOf(expected: Expected): Promise<Verdict> {
  const verdict: Verdict = { phase: undefined };
  try {
    const config = await load(expected);
    const request = requestOf(expected);
    if (config.kind === 'aurora') {
      const jobs: (string | undefined)[] = expected.jobs?.map(({ job_key }) => job_key) ?? [undefined];
      const tasks = jobs.map((job) => evaluate(config, { ...request, job }));
      if (tasks.some((task) => hasError(task.lint))) verdict.phase = 'validate';
      const ports = [...new Set(tasks.flatMap((task) => task.unboundPorts))].sort();
      return Object.assign(verdict, { tasks: tasks.map((task) => task.document), ports });
    }
    const { schema } = config.session;
    const tasks = checkedTasks(config, request);
    verdict.tasks = tasks.map(documentOf);
    const ours = tasks.filter((task) => task.type === schema.task);
    verdict.ports = [...new Set(ours.flatMap((task) => orNothing(() => portsOf(task))))].sort();
    verdict.details = ours.map((task) => ({
      ports: orNothing(() => portsOf(task)),
      valid: validate(schema, task).length === 0,
      ...(task.fields.has('processes') && { plan: planOf(task) }),
    }));
    if (expected.command === 'evaluate') {
      if (tasks.some((task) => validate(schema, task).length > 0)) verdict.phase = 'validate';
      return verdict;
    }
    const task = evaluate(config, request);
    if (expected.command === 'inspect') return verdict;
    const { document } = prepareRun(config, task, {
      taskId: 'corpus-task',
      user: 'root',
      ports: request.ports,
    });
    verdict.cmdlines = Object.fromEntries(
      (document.processes as { name: string; cmdline: string }[]).map(({ name, cmdline }) => [name, cmdline]),
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    verdict.phase = error.phase;
  }
  return verdict;
}

function planOf(task: Parameters<typeof taskPlan>[0]): object {
  const [plan] = orNothing(() => [taskPlan(task)]);
  if (plan === undefined) return { fault: true };
  const { regular, finalizing } = plan;
  if ([...regular.faults, ...finalizing.faults].some(({ kind }) => kind !== 'cycle')) return { fault: true };
  const plain = ({ dependencies }: typeof regular) =>
    Object.fromEntries([...dependencies].map(([name, before]) => [name, [...before].sort()]));
  return { regular: plain(regular), final: plain(finalizing) };
}

function orFault(plan: { regular: object; final: object }): object {
  return 'error' in plan.regular || 'error' in plan.final ? { fault: true } : plan;
}

/** Python's sets have no order. */
function ordered(tasks: Verdict['tasks'], { compare = {} }: Expected): unknown {
  return tasks?.map((task) =>
    Object.fromEntries(
      Object.entries(task).map(([field, value]) => [
        field,
        compare[field] === 'unordered' && Array.isArray(value)
          ? value.map((each) => JSON.stringify(each, Object.keys(each as object).sort())).sort()
          : value,
      ]),
    ),
  );
}

describe('configs whose verdict the original gave', () => {
  it('are never refused where the original accepts them', () => {
    const refused = corpus().filter(([name, { ok }]) => ok && OURS[name] !== undefined);
    expect(refused.map(([name]) => name)).toEqual([]);
  });

  it.concurrent.each(corpus())('%s', async (name, expected) => {
    const verdict = await verdictOf(expected);
    const phase = expected.ok ? undefined : PHASES[expected.phase as string];
    expect(verdict.phase).toBe(name in OURS ? OURS[name] : phase);
    if (name in OURS || expected.tasks === undefined) return;
    if (expected.phase === 'typecheck' || expected.phase === 'validate_job') return;
    expect(ordered(verdict.tasks, expected)).toEqual(ordered(expected.tasks, expected));
    expect(verdict.ports).toEqual(expected.ports);
    if (verdict.details !== undefined && expected.compare === undefined) {
      const details = expected.task_details
        ?.filter(({ plan }) => plan.regular.error !== 'AttributeError: Process has no attribute processes')
        .map(({ ports, validate: { ok }, plan }) => ({ ports, valid: ok, plan: orFault(plan) }));
      expect(verdict.details).toEqual(details);
    }
    expect(verdict.cmdlines).toEqual(expected.run?.cmdlines);
  });
});
