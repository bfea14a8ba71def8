import type { Problem } from '../errors/problem.js';
import { bind, constructFrom, described } from './construct.js';
import { attribute, get, interpolate, nodeText } from './interpolate.js';
import { Dict, EMPTY, type MapNode, type Node, type Raw, type SimpleNode, type StructNode } from './model.js';
import { addressText, tagText } from './mustache.js';
import type { Place } from './places.js';
import { hintFor, problemAt, typeProblems } from './problems.js';
import { ConfigError } from './program.js';
import { isList, isNode, parseInteger, pythonText } from './python-text.js';
import type { Schema } from './schema.js';
import { portOf, portsOf, rawOf } from './validate.js';

/** Which job of an `.aurora` file, and as which of its instances. */
export interface JobChoice {
  /** The end of its key: `NAME`, `ENVIRONMENT/NAME` … */
  job?: string;
  instance: number;
  hostname: string;
}

/** The task that the executor would run for one instance of a job. */
export interface JobTask {
  task: StructNode;
  /** The task of the job, in which instance and host are not known yet. */
  jobTask: StructNode;
  /** Why Aurora would not take the job. */
  problems: Problem[];
  /** Ports that stand for another one, or for a number; resolved. */
  portmap: ReadonlyMap<string, string | number>;
  /** The ports that the scheduler would have to allocate, sorted. */
  ports: string[];
}

const IDENTIFIER = /^[\w\-.]+$/;
const CRON_POLICIES = ['KILL_EXISTING', 'CANCEL_NEW', 'RUN_OVERLAP'];

/** The job that is meant: by its name or the end of its key, or the only one. `bound` is done to each of them first. */
export function pickJob(
  schema: Schema,
  jobs: Raw | undefined,
  choice: JobChoice,
  bound: (job: StructNode) => StructNode,
): StructNode {
  if (jobs === undefined || !isList(jobs) || jobs.length === 0) {
    throw new ConfigError('select', 'job-missing', 'the config has no jobs', {
      hint: 'an .aurora file lists them: jobs = [ … ]',
    });
  }
  const all = jobs.map((job) => {
    if (isNode(job) && job.type === schema.job && job.kind === 'struct') return bound(job);
    throw new ConfigError('select', 'job-invalid', `jobs holds ${described(job)}, not a Job`);
  });
  const keys = all.map(jobKey);
  const list = keys.join(', ');
  if (choice.job === undefined) {
    if (all.length === 1) return all[0] as StructNode;
    const message = `the config has ${all.length} jobs, and none is chosen: ${list}`;
    throw new ConfigError('select', 'job-not-chosen', message, { hint: 'choose one with --job' });
  }
  const matches = all.filter((_, i) => `/${keys[i]}`.endsWith(`/${choice.job}`));
  if (matches.length === 1) return matches[0] as StructNode;
  const message =
    matches.length === 0
      ? `the config has no job '${choice.job}', but ${list}`
      : `the config has ${matches.length} jobs '${choice.job}': ${matches.map(jobKey).join(', ')}`;
  const hint =
    'a job is named by the end of its key: NAME, ENVIRONMENT/NAME, or CLUSTER/ROLE/ENVIRONMENT/NAME';
  const code = matches.length === 0 ? 'job-not-found' : 'job-not-chosen';
  throw new ConfigError('select', code, message, { hint });
}

/** `CLUSTER/ROLE/ENVIRONMENT/NAME`. */
function jobKey(job: StructNode): string {
  return ['cluster', 'role', 'environment', 'name'].map((field) => fieldText(job, field)).join('/');
}

function fieldText(node: StructNode, field: string): string {
  const value = attribute(node, field);
  return value === EMPTY ? '' : nodeText(value);
}

/** What the executor would run: cluster, role and user bound, then the instance and the host. */
export function taskOfJob(schema: Schema, given: StructNode, { instance, hostname }: JobChoice): JobTask {
  const name = fieldText(given, 'name');
  for (const field of ['cluster', 'task', 'role']) {
    if (given.fields.has(field)) continue;
    throw new ConfigError('typecheck', 'job-incomplete', `the job '${name}' needs a ${field}`);
  }
  if (!(attribute(given, 'task') as StructNode).fields.has('processes')) {
    throw new ConfigError('typecheck', 'job-incomplete', `the task of the job '${name}' has no processes`);
  }
  const standard = new Dict([
    ['mesos.role', '{{role}}'],
    ['mesos.cluster', '{{cluster}}'],
    ['thermos.user', '{{role}}'],
  ]);
  const job = interpolate(bind(given, [standard], [])).node;
  const portmap = resolvedPortmap(job);
  const problems = [...jobProblems(job), ...portmap.problems];
  const jobTask = attribute(job, 'task') as StructNode;
  const context = constructFrom(
    schema.mesosContext,
    [],
    [
      ['instance', BigInt(instance)],
      ['hostname', hostname],
    ],
  );
  const serialized = constructFrom(schema.job, [get(interpolate(job).node)], []) as StructNode;
  const task = bind(attribute(serialized, 'task') as StructNode, [], [['mesos', context]]);
  const needed = portsOf(jobTask).map((port) => portmap.ports.get(port) ?? port);
  const announced = [...portmap.ports.values()];
  return {
    task,
    jobTask: { ...jobTask, origin: jobTask.origin ?? given.origin },
    problems,
    portmap: portmap.ports,
    ports: [...new Set([...needed, ...announced].filter((port) => typeof port === 'string'))].sort(),
  };
}

/** Why Aurora would refuse the job before it looks at its task. */
function jobProblems(job: StructNode): Problem[] {
  const whole: Place = { field: '', origin: job.origin };
  const faked = bind(
    job,
    [],
    [
      [
        'mesos',
        new Dict([
          ['instance', 31337n],
          ['hostname', ''],
        ]),
      ],
    ],
  );
  const problems = typeProblems(faked);
  const wrong = (field: string, message: string): void => {
    problems.push(problemAt({ ...whole, field }, 'job-invalid', 'error', message));
  };
  for (const field of ['role', 'environment', 'name']) {
    const text = fieldText(job, field);
    if (text !== '' && !IDENTIFIER.test(text))
      wrong(field, `'${text}' may have letters, digits, _, - and . only`);
  }
  const policy = fieldText(job, 'cron_collision_policy');
  if (!CRON_POLICIES.includes(policy.toUpperCase())) wrong('cron_collision_policy', `${policy} is no policy`);
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
  const seen = new Set<string>();
  for (const ref of interpolate(job).refs) {
    if (known.has(addressText(ref)) || portOf(ref) !== undefined || seen.has(tagText(ref))) continue;
    seen.add(tagText(ref));
    problems.push(
      problemAt(whole, 'ref-unbound', 'error', `nothing is bound to ${tagText(ref)}`, hintFor(ref)),
    );
  }
  return problems.map((problem) => ({
    ...problem,
    message: `job '${fieldText(job, 'name')}': ${problem.message}`,
  }));
}

/** Announced ports: what stands for another is that one, a number is that number. */
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
      problems.push(
        problemAt(place, 'port-invalid', 'error', `the port ${name} stands for itself in the end`),
      );
    }
    ports.set(name, root);
  }
  return { ports, problems };
}
