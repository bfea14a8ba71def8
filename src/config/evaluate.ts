import type { Problem } from '../errors/problem.js';
import { hasError } from '../errors/problem.js';
import { type JobChoice, pickJob, taskOfJob } from './aurora.js';
import { bind, described } from './construct.js';
import { documentOf, type Json, json } from './document.js';
import { attribute, get, interpolate, nodeText } from './interpolate.js';
import { LimitError, limited, listed } from './limits.js';
import { lint } from './lint.js';
import { Dict, EMPTY, ModelError, type StructNode } from './model.js';
import { parseAddress, tagText } from './mustache.js';
import { invalidConfig, located, orRefused, theFirst, typeProblems } from './problems.js';
import { ConfigError, type Dialect } from './program.js';
import { isNode } from './python-text.js';
import type { Schema } from './schema.js';
import type { ConfigSession } from './session.js';
import {
  inContext,
  itemsOf,
  limitSize,
  portsOf,
  type RunContext,
  type TaskPlan,
  taskPlan,
  validate,
} from './validate.js';

/** A config that was executed. */
export interface LoadedConfig {
  readonly path: string;
  readonly kind: 'json' | Dialect;
  readonly session: ConfigSession;
}

/** What is asked of it. */
export interface Request extends JobChoice {
  /** The name of a task, if there are several. */
  task?: string;
  /** `-E NAME=VALUE`, in order: later ones win. */
  bindings: readonly (readonly [address: string, value: string])[];
  /** `-P NAME:PORT`. */
  ports: ReadonlyMap<string, number>;
}

/** One task of a config: bound, typechecked, chosen. */
export interface EvaluatedTask {
  readonly node: StructNode;
  /** With the fields and values of the original's task file. */
  readonly document: { [name: string]: Json };
  /** The ports that it needs and nothing gives it, sorted. */
  readonly unboundPorts: string[];
  /** Ports that stand for another one, or for a number (announced by an Aurora job). */
  readonly portmap: ReadonlyMap<string, string | number>;
  /** Errors: no runner would take it. Warnings: it is hardly meant. Without the file. */
  readonly problems: Problem[];
  /** The same with its file, ready to be told. */
  readonly lint: Problem[];
}

/**
 * The task that is asked for. Throws ConfigError, exit 2, in the original's order: every exported task is bound and
 * typechecked, then one is chosen. What is wrong with the chosen one beyond that is in its `lint`.
 */
export function evaluate(config: LoadedConfig, request: Request): EvaluatedTask {
  return orRefused('typecheck', config.path, config.session.meter, () => evaluateChosen(config, request));
}

function evaluateChosen(config: LoadedConfig, request: Request): EvaluatedTask {
  const { schema, jobs } = config.session;
  if (config.kind === 'aurora') {
    const job = pickJob(schema, { path: config.path, jobs }, request, (each) => bound(each, request));
    const found = taskOfJob(schema, config.path, job, request);
    const errors = found.problems.length > 0 ? found.problems : validate(schema, found.task);
    const node = errors.length > 0 ? found.jobTask : found.task;
    return evaluated(config, request, { ...found, node, errors });
  }
  const node = choose(config, checkedTasks(config, request), request.task);
  const errors = validate(schema, node);
  // The original validates a task from JSON when it loads it.
  if (config.kind === 'json' && errors.length > 0) {
    throw invalidConfig('load', config.path, errors);
  }
  return evaluated(config, request, { node, errors, portmap: new Map(), ports: portsIn(schema, node) });
}

function evaluated(
  config: LoadedConfig,
  request: Request,
  {
    node,
    errors,
    portmap,
    ports,
  }: Pick<EvaluatedTask, 'node' | 'portmap'> & { errors: Problem[]; ports: string[] },
): EvaluatedTask {
  const warnings = orNothing(() => lint(config.session.schema, node, request.ports.keys(), errors));
  return {
    node,
    document: documentOf(node),
    unboundPorts: ports.filter((port) => !request.ports.has(port)),
    portmap,
    problems: [...errors, ...warnings],
    lint: theFirst([...errors, ...warnings]).map((problem) => located(problem, config.path)),
  };
}

/** What can't be told of a task that is wrong is nothing: why it is wrong is told. */
export function orNothing<T>(tell: () => T[]): T[] {
  try {
    return tell();
  } catch (error) {
    if (error instanceof ModelError) return [];
    throw error;
  }
}

function portsIn(schema: Schema, task: StructNode): string[] {
  return task.type === schema.task ? orNothing(() => portsOf(task)) : [];
}

function bound(node: StructNode, { bindings }: Request): StructNode {
  return bind(
    node,
    bindings.map(([address, value]) => new Dict([[parseAddress(address), value]])),
    [],
  );
}

/** Every exported task, bound and typechecked; see `evaluate`. */
export function checkedTasks(config: LoadedConfig, request: Request): StructNode[] {
  const problems: Problem[] = [];
  limited('tasks', config.session.exported.length);
  const tasks = config.session.exported.map(({ value, origin }) => {
    if (!isNode(value) || value.kind !== 'struct') {
      const where = origin === undefined ? '' : ` (line ${origin.line})`;
      throw new ConfigError(
        'typecheck',
        'task-missing',
        `export() takes a Task, got ${described(value)}${where}`,
        {
          hint: 'call export() once for each task',
        },
      );
    }
    const task = bound({ ...value, origin: value.origin ?? origin }, request);
    limitSize(config.session.schema, task);
    for (const problem of typeProblems(task)) problems.push(problem);
    return task;
  });
  if (problems.length > 0) throw invalidConfig('typecheck', config.path, problems);
  return tasks;
}

function choose({ path }: LoadedConfig, tasks: readonly StructNode[], name: string | undefined): StructNode {
  const [first] = tasks;
  if (first === undefined) {
    throw new ConfigError('select', 'task-missing', `${path} has no task`, {
      hint: 'a config hands over its task with export(Task(…))',
    });
  }
  if (name === undefined) {
    if (tasks.length === 1) return first;
    const message = `${path} has ${tasks.length} tasks, and none is chosen: ${listed(tasks.map(nameOf))}`;
    throw new ConfigError('select', 'task-not-chosen', message, { hint: 'choose one with --task NAME' });
  }
  const task = tasks.find((each) => nameOf(each) === name);
  if (task !== undefined) return task;
  const message = `${path} has no task '${name}', but ${listed(tasks.map(nameOf))}`;
  throw new ConfigError('select', 'task-not-found', message);
}

function nameOf(task: StructNode): string {
  const name = task.type.fields.has('name') ? attribute(task, 'name') : EMPTY;
  return name === EMPTY ? '' : nodeText(name);
}

/** A task with all that a runner puts in: nothing in it is a template any more. */
export interface PreparedRun {
  readonly context: RunContext;
  /** As the task file; the command lines are exactly what bash gets. */
  readonly document: { [name: string]: Json };
  readonly plan: TaskPlan;
}

/**
 * The task as it is run. Throws ConfigError, exit 2, with every reason why it can't be. `context.ports` are those
 * that are given; what the config itself says of ports is added.
 */
export function prepareRun(config: LoadedConfig, task: EvaluatedTask, context: RunContext): PreparedRun {
  return orRefused('validate', config.path, config.session.meter, () => prepare(config, task, context));
}

function prepare(config: LoadedConfig, task: EvaluatedTask, context: RunContext): PreparedRun {
  const { schema } = config.session;
  const ports = withPortmap(context.ports, task.portmap);
  const missing = portsIn(schema, task.node).filter((port) => !ports.has(port));
  const problems = [
    ...missing.map((port) => ({
      code: 'port-unbound' as const,
      severity: 'error' as const,
      message: `the task needs the port '${port}'`,
      hint: `give it with -P ${port}:PORT`,
    })),
    ...task.problems,
  ];
  if (hasError(problems)) throw invalidConfig('validate', config.path, problems);
  const node = inContext(schema, task.node, { ...context, ports });
  const { node: whole, refs } = interpolate(node);
  if (refs.length > 0) {
    const names = listed(refs.map(tagText));
    throw new ConfigError('validate', 'ref-unbound', `${config.path}: nothing is bound to ${names}`);
  }
  // As often as the original interpolates on the way to bash, so that as many escapes are used up.
  const processes = (itemsOf(whole, 'processes') ?? []).map((process) =>
    json(get(interpolate(process).node)),
  );
  return {
    context: { ...context, ports },
    document: { ...documentOf(whole), processes },
    plan: taskPlan(whole),
  };
}

function withPortmap(
  given: ReadonlyMap<string, number>,
  portmap: ReadonlyMap<string, string | number>,
): Map<string, number> {
  const ports = new Map(given);
  for (const [name, target] of portmap) {
    const port = typeof target === 'number' ? target : given.get(target);
    if (port !== undefined && !ports.has(name)) ports.set(name, port);
  }
  return ports;
}

/** Whether a word can stand before the `=` of `-E NAME=VALUE`; the reason if not. */
export function addressFault(address: string): string | undefined {
  try {
    parseAddress(address);
    return undefined;
  } catch (error) {
    if (error instanceof ModelError || error instanceof LimitError) return error.message;
    throw error;
  }
}
