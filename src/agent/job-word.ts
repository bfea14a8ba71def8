/** A job of a cluster, as Aurora's client names it: `CLUSTER/ROLE/ENV/JOB`, or one of its instances. */
export interface JobWord {
  readonly cluster: string;
  readonly role: string;
  readonly environment: string;
  readonly job: string;
  readonly instance?: number;
}

const PART = /^[\w.-]+$/;
const INSTANCE = /^\d{1,9}$/;

/**
 * The job that a TASK word names; undefined if it has another form. `ROLE/ENV/JOB/INSTANCE` has as many parts as
 * `CLUSTER/ROLE/ENV/JOB`: a number at the end is an instance. Pure.
 */
export function jobIn(word: string): JobWord | undefined {
  const parts = word.split('/');
  if (!parts.every((part) => PART.test(part))) return undefined;
  const [cluster = '', role = '', environment = '', job = '', instance] = parts;
  const named = { cluster, role, environment, job };
  if (parts.length === 4) return INSTANCE.test(job) ? undefined : named;
  if (parts.length !== 5 || !INSTANCE.test(instance as string)) return undefined;
  return { ...named, instance: Number(instance) };
}

/** The job without its cluster, which is what the ids of its tasks tell. Pure. */
export function keyOf({ role, environment, job, instance }: JobWord): string {
  return [role, environment, job, ...(instance === undefined ? [] : [instance])].join('/');
}
