import type { Problem } from '../errors/problem.js';
import { bind, constructFrom, described } from './construct.js';
import { attribute, get, interpolate, nodeText } from './interpolate.js';
import { limited, listed } from './limits.js';
import {
  Dict,
  EMPTY,
  type MapNode,
  ModelError,
  type Node,
  type Raw,
  type SimpleNode,
  type StructNode,
} from './model.js';
import { addressText, tagText } from './mustache.js';
import { type ConfigPlace, unboundIn } from './places.js';
import { hintFor, invalidConfig, problemAt, typeProblems } from './problems.js';
import { ConfigError } from './program.js';
import { isList, isNode, parseInteger, pythonText } from './python-text.js';
import type { Schema } from './schema.js';
import { limitSize, portOf, portsOf, rawOf } from './validate.js';

/** Which job of an `.aurora` file, and which of its instances. */
export interface JobChoice {
  /** The end of its key: `NAME`, `ENVIRONMENT/NAME` … */
  job?: string;
  /** Default: 0. */
  instance?: number;
  hostname: string;
}

/** The task that the executor would run for one instance of a job. */
export interface JobTask {
  task: StructNode;
  /** The task of the job, without instance and host. */
  jobTask: StructNode;
  /** Why Aurora would not accept the job. */
  problems: Problem[];
  /** Ports that are aliases of another port or of a number; resolved. */
  portmap: ReadonlyMap<string, string | number>;
  /** The ports that the scheduler would have to allocate, sorted. */
  ports: string[];
}

const IDENTIFIER = /^[\w\-.]+$/;
const CRON_POLICIES = ['KILL_EXISTING', 'CANCEL_NEW', 'RUN_OVERLAP'];

/** The chosen job: by its name or the end of its key, or the only one. `bound` is applied to each of them first. */
export function pickJob(
  schema: Schema,
  { path, jobs }: { path: string; jobs: Raw | undefined },
  choice: JobChoice,
  bound: (job: StructNode) => StructNode,
): StructNode {
  if (jobs === undefined || !isList(jobs) || jobs.length === 0) {
    throw new ConfigError('select', 'job-missing', `${path} has no jobs`, {
      hint: 'an .aurora file lists them: jobs = [ … ]',
    });
  }
  limited('tasks', jobs.length);
  const all = jobs.map((job) => {
    if (isNode(job) && job.type === schema.aurora.job && job.kind === 'struct') return bound(job);
    throw new ConfigError('select', 'job-invalid', `${path}: jobs holds ${described(job)}, not a Job`);
  });
  const keys = all.map(jobKey);
  const list = listed(keys);
  if (choice.job === undefined) {
    if (all.length === 1) return all[0] as StructNode;
    const message = `${path} has ${all.length} jobs, and none is chosen: ${list}`;
    throw new ConfigError('select', 'job-not-chosen', message, { hint: 'choose one with --job' });
  }
  const matches = all.filter((_, i) => `/${keys[i]}`.endsWith(`/${choice.job}`));
  if (matches.length === 1) return matches[0] as StructNode;
  const message =
    matches.length === 0
      ? `${path} has no job '${choice.job}'; it has ${list}`
      : `${path} has ${matches.length} jobs '${choice.job}': ${listed(matches.map(jobKey))}`;
  const hint =
    'a job is named by the end of its key: NAME, ENVIRONMENT/NAME, or CLUSTER/ROLE/ENVIRONMENT/NAME';
  const code = matches.length === 0 ? 'job-not-found' : 'job-not-chosen';
  throw new ConfigError('select', code, message, { hint });
}

/** `CLUSTER/ROLE/ENVIRONMENT/NAME`. */
function jobKey(job: StructNode): string {
  return ['cluster', 'role', 'environment', 'name'].map((field) => fieldText(job, field)).join('/');
}

/** Empty if the field is not set or has no text. */
function fieldText(node: StructNode, field: string): string {
  try {
    const value = attribute(node, field);
    return value === EMPTY ? '' : nodeText(value);
  } catch (error) {
    if (error instanceof ModelError) return '';
    throw error;
  }
}

const STANDARD_BINDINGS = new Dict([
  ['mesos.role', '{{role}}'],
  ['mesos.cluster', '{{cluster}}'],
  ['thermos.user', '{{role}}'],
]);

/**
 * What is of the wrong type in a job; and, apart, a missing environment: the task is complete without it.
 * The executor knows instance and host.
 */
function typeProblemsOf(job: StructNode): [wrong: Problem[], gaps: Problem[]] {
  const executor = new Dict([
    ['instance', 31337n],
    ['hostname', ''],
  ]);
  const problems = typeProblems(bind(job, [new Dict([['mesos', executor]])], []));
  const isGap = ({ code, field }: Problem): boolean => code === 'field-missing' && field === 'environment';
  return [problems.filter((problem) => !isGap(problem)), problems.filter(isGap)];
}

/** What the executor would run: cluster, role and user bound, then the instance and the host. */
export function taskOfJob(
  schema: Schema,
  path: string,
  given: StructNode,
  { instance = 0, hostname }: JobChoice,
): JobTask {
  const name = fieldText(given, 'name');
  for (const field of ['cluster', 'task', 'role']) {
    if (given.fields.has(field)) continue;
    throw new ConfigError('typecheck', 'job-incomplete', `${path}: the job '${name}' needs a ${field}`);
  }
  if (!(given.fields.get('task') as StructNode).fields.has('processes')) {
    throw new ConfigError(
      'typecheck',
      'job-incomplete',
      `${path}: the task of the job '${name}' has no processes`,
    );
  }
  limitSize(schema, given.fields.get('task') as StructNode);
  const whole = bind(given, [STANDARD_BINDINGS], []);
  const [wrong, gaps] = typeProblemsOf(whole);
  if (wrong.length > 0) throw invalidConfig('typecheck', path, wrong);
  const job = interpolate(whole).node;
  const portmap = resolvedPortmap(job);
  const problems = [...gaps, ...jobProblems(job), ...portmap.problems].map((problem) => ({
    ...problem,
    message: `job '${name}': ${problem.message}`,
  }));
  const jobTask = attribute(job, 'task') as StructNode;
  const origin = jobTask.origin ?? given.origin;
  const context = constructFrom(
    schema.aurora.mesosContext,
    [],
    [
      ['instance', BigInt(instance)],
      ['hostname', hostname],
    ],
  );
  const serialized = constructFrom(schema.aurora.job, [get(interpolate(job).node)], []) as StructNode;
  const task = bind(attribute(serialized, 'task') as StructNode, [], [['mesos', context]]);
  const needed = portsOf(jobTask).map((port) => portmap.ports.get(port) ?? port);
  const announced = [...portmap.ports.values()];
  return {
    task: { ...task, origin },
    jobTask: { ...jobTask, origin },
    problems,
    portmap: portmap.ports,
    ports: [...new Set([...needed, ...announced].filter((port) => typeof port === 'string'))].sort(),
  };
}

/** Why Aurora would refuse the job before it checks the task. */
function jobProblems(job: StructNode): Problem[] {
  const whole: ConfigPlace = { field: '', origin: job.origin };
  const problems: Problem[] = [];
  const wrong = (field: string, message: string): void => {
    problems.push(problemAt({ ...whole, field }, 'job-invalid', 'error', message));
  };
  for (const field of ['role', 'environment', 'name']) {
    const text = fieldText(job, field);
    if (text !== '' && !IDENTIFIER.test(text))
      wrong(field, `'${text}' may contain only letters, digits, _, - and .`);
  }
  const policy = fieldText(job, 'cron_collision_policy');
  if (!CRON_POLICIES.includes(policy.toUpperCase()))
    wrong('cron_collision_policy', `${policy} is not a policy`);
  const resources = attribute(attribute(job, 'task') as StructNode, 'resources');
  if (resources === EMPTY) wrong('task', 'a task of a job needs resources');
  else {
    for (const field of ['cpu', 'ram', 'disk']) {
      const amount = rawOf(resources as StructNode, field);
      const enough = field === 'cpu' ? 0 : 1024 * 1024;
      const number = Number(pythonText(amount ?? 0n));
      if (field === 'cpu' ? number <= enough : number < enough) {
        wrong(`task.resources.${field}`, `${number} is too little: Aurora counts ram and disk in MiB`);
      }
    }
  }
  const known = new Set(['thermos.task_id', 'mesos.instance', 'mesos.hostname']);
  for (const { place, ref } of unboundIn(job)) {
    if (known.has(addressText(ref)) || portOf(ref) !== undefined) continue;
    problems.push(
      problemAt(place, 'ref-unbound', 'error', `nothing is bound to ${tagText(ref)}`, hintFor(ref)),
    );
  }
  return problems;
}

/** Announced ports: an alias is the port at its end, a number is that number. */
function resolvedPortmap(job: StructNode): { ports: Map<string, string | number>; problems: Problem[] } {
  const announce = attribute(job, 'announce');
  const map = announce === EMPTY ? EMPTY : attribute(announce as Node, 'portmap');
  const given = new Map<string, string | number>();
  for (const [key, value] of map === EMPTY ? [] : (map as MapNode).entries) {
    const port = pythonText((value as SimpleNode).raw);
    const number = parseInteger(port);
    given.set(pythonText((key as SimpleNode).raw), number === undefined ? port : Number(number));
  }
  const ports = new Map<string, string | number>();
  const problems: Problem[] = [];
  for (const name of given.keys()) {
    const visited = new Set<string | number>();
    let root = given.get(name) as string | number;
    while (typeof root === 'string' && given.has(root) && !visited.has(root)) {
      visited.add(root);
      root = given.get(root) as string | number;
    }
    if (typeof root === 'string' && visited.has(root)) {
      const place = { field: 'announce.portmap', origin: job.origin };
      problems.push(problemAt(place, 'port-invalid', 'error', `the port ${name} refers to itself`));
    }
    ports.set(name, root);
  }
  return { ports, problems };
}
