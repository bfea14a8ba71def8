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
import { type ProcessSelection, selectProcesses, unknownProcesses } from './selection.js';
import type { ConfigSession } from './session.js';
import { type Setting, settingsOf } from './settings.js';
import {
  inContext,
  itemsOf,
  limitSize,
  portsOf,
  type RunContext,
  type TaskPlan,
  taskPlan,
  validate,
  withProcesses,
} from './validate.js';

/** A config that was executed. */
export interface LoadedConfig {
  readonly path: string;
  readonly kind: 'json' | Dialect;
  readonly session: ConfigSession;
}

/** Which task of it, and what to bind. */
export interface Request extends JobChoice {
  /** The name of a task, if there are several. */
  task?: string;
  /** `-E NAME=VALUE`, in order: later ones win. */
  bindings: readonly (readonly [address: string, value: string])[];
  /** `-P NAME:PORT`. */
  ports: ReadonlyMap<string, number>;
  /** Which of its processes; default: all. */
  selection?: ProcessSelection;
  /** It is made of two configs: what this one has no choice for, the other one may have. */
  ofTwo?: boolean;
}

/** One task of a config: bound, typechecked, chosen. */
export interface EvaluatedTask {
  readonly node: StructNode;
  /** With the fields and values of the original's task file. */
  readonly document: { [name: string]: Json };
  /** The ports that it needs and that are not given, sorted. */
  readonly unboundPorts: string[];
  /** What differs from the defaults in it. */
  readonly settings: readonly Setting[];
  /** Ports that are aliases of another port or of a number (announced by an Aurora job). */
  readonly portmap: ReadonlyMap<string, string | number>;
  /** Errors: no runner would accept it. Warnings: it is probably not intended. Without the file. */
  readonly problems: Problem[];
  /** The same with the file, ready to be shown. */
  readonly lint: Problem[];
}

/**
 * The requested task. Throws ConfigError, exit 2, in the original's order: every exported task is bound and
 * typechecked, then one is chosen. Other problems of the chosen one are in its `lint`.
 */
export function evaluate(config: LoadedConfig, request: Request): EvaluatedTask {
  return orRefused('typecheck', config.path, config.session.meter, () => evaluateChosen(config, request));
}

function evaluateChosen(config: LoadedConfig, request: Request): EvaluatedTask {
  const { schema, jobs } = config.session;
  if (!request.ofTwo) refuseOther(config, request);
  if (config.kind === 'aurora') {
    const job = pickJob(schema, { path: config.path, jobs }, request, (each) => bound(each, request));
    const found = taskOfJob(schema, config.path, job, request);
    const chosen = (task: StructNode) => (found.problems.length > 0 ? task : selected(config, task, request));
    const task = chosen(found.task);
    const errors = found.problems.length > 0 ? found.problems : validate(schema, task);
    const node = errors.length > 0 ? chosen(found.jobTask) : task;
    const used = new Set(portsIn(schema, node).map((port) => found.portmap.get(port) ?? port));
    const ports = task === found.task ? found.ports : found.ports.filter((port) => used.has(port));
    return evaluated(config, request, { ...found, node, errors, ports });
  }
  const node = selected(config, choose(config, checkedTasks(config, request), request.task), request);
  const errors = validate(schema, node);
  // The original validates a task from JSON when it loads it.
  if (config.kind === 'json' && errors.length > 0) {
    throw invalidConfig('load', config.path, errors);
  }
  return evaluated(config, request, { node, errors, portmap: new Map(), ports: portsIn(schema, node) });
}

/** A choice among what the config does not have would be without effect. */
function refuseOther({ kind, path }: LoadedConfig, { task, job, instance }: Request): void {
  const refuse = (message: string, hint: string) => {
    throw new ConfigError('select', 'usage', message, { hint });
  };
  if (kind === 'aurora') {
    if (task !== undefined)
      refuse(`${path} has jobs, of which each has one task`, 'choose a job with --job, not --task');
  } else if (job !== undefined) refuse(`${path} has no jobs`, 'choose a task with --task, not --job');
  else if (instance !== undefined) {
    refuse(
      `${path} has no jobs, so there are no instances`,
      'bind {{mesos.instance}} with --environment, not --instance',
    );
  }
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
  const document = documentOf(node);
  return {
    node,
    document,
    settings: settingsOf(config.session.schema, node.type, document),
    unboundPorts: ports.filter((port) => !request.ports.has(port)),
    portmap,
    problems: [...errors, ...warnings],
    lint: theFirst([...errors, ...warnings]).map((problem) => located(problem, config.path)),
  };
}

/** No answers from a task that is not valid: the reason is reported elsewhere. */
export function orNothing<T>(answer: () => T[]): T[] {
  try {
    return answer();
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
      hint: 'a config exports its task: export(Task(…))',
    });
  }
  if (name === undefined) {
    if (tasks.length === 1) return first;
    const message = `${path} has ${tasks.length} tasks, and none is chosen: ${listed(tasks.map(nameOf))}`;
    throw new ConfigError('select', 'task-not-chosen', message, { hint: 'choose one with --task NAME' });
  }
  const task = tasks.find((each) => nameOf(each) === name);
  if (task !== undefined) return task;
  const message = `${path} has no task '${name}'; it has ${listed(tasks.map(nameOf))}`;
  throw new ConfigError('select', 'task-not-found', message);
}

/** The task with the requested processes; unchanged if it is not valid, for which `validate` has the reasons. */
function selected({ path, session }: LoadedConfig, task: StructNode, { selection }: Request): StructNode {
  if (selection === undefined || task.type !== session.schema.task || !task.fields.has('processes'))
    return task;
  const plan = planIfValid(task);
  if (plan === undefined) return task;
  const chosen = selectProcesses(plan, selection);
  if (!('unknown' in chosen)) return withProcesses(task, chosen);
  const { message, hint } = unknownProcesses(path, chosen.unknown, plan);
  throw new ConfigError('select', 'process-not-found', message, { hint });
}

function planIfValid(task: StructNode): TaskPlan | undefined {
  try {
    const plan = taskPlan(task);
    return plan.regular.faults.length + plan.finalizing.faults.length === 0 ? plan : undefined;
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

function nameOf(task: StructNode): string {
  const name = task.type.fields.has('name') ? attribute(task, 'name') : EMPTY;
  return name === EMPTY ? '' : nodeText(name);
}

/** A task with everything that a runner fills in: nothing in it is a template any more. */
export interface PreparedRun {
  readonly context: RunContext;
  /** As in the task file; the command lines are exactly what bash gets. */
  readonly document: { [name: string]: Json };
  readonly plan: TaskPlan;
}

/**
 * The task as it runs. Throws ConfigError, exit 2, with every reason why it cannot run. `context.ports` are the
 * given ones; those that the config itself defines are added.
 */
export function prepareRun(config: LoadedConfig, task: EvaluatedTask, context: RunContext): PreparedRun {
  return orRefused('validate', config.path, config.session.meter, () => prepare(config, task, context));
}

function prepare(config: LoadedConfig, task: EvaluatedTask, context: RunContext): PreparedRun {
  const { schema } = config.session;
  const ports = withPortmap(context.ports, task.portmap);
  const missing = portsIn(schema, task.node).filter((port) => !ports.has(port));
  const asked = new Set(missing.map((port) => String(task.portmap.get(port) ?? port)));
  const problems = [
    ...[...asked].map((port) => ({
      code: 'port-unbound' as const,
      severity: 'error' as const,
      message: `the task needs the port '${port}'`,
      hint: `pass it with -P ${port}:PORT`,
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
  // Interpolated as often as by the original on the way to bash, so that the same number of escapes is removed.
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

/** Why a word cannot be before the `=` of `-E NAME=VALUE`; undefined if it can. */
export function addressFault(address: string): string | undefined {
  try {
    parseAddress(address);
    return undefined;
  } catch (error) {
    if (error instanceof ModelError || error instanceof LimitError) return error.message;
    throw error;
  }
}
