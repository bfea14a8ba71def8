/** What is recorded of a task and also part of an id that Aurora made: its role is the user, its job the name. */
export interface RecordedNames {
  user: string | undefined;
  name: string | undefined;
}

/** `ROLE-ENVIRONMENT-JOB-INSTANCE-UUID`; until Aurora 0.12 with milliseconds before it. */
const AURORA =
  /^(?:\d{13}-)?(?<job>.+)-(?<instance>\d+)-(?<uuid>[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})$/;

/** How much of a uuid is shown, until all ids differ: its first groups. */
const UUID_LENGTHS = [8, 13, 18, 23];

/**
 * Short forms of task ids: one that Aurora made as `ROLE/ENVIRONMENT/JOB/INSTANCE/UUID`, with the start of its uuid;
 * other ids as they are. Any of the names may contain dashes: they are separated only where the recorded names say
 * how, else they stay as in the id. With dashes for slashes, a form is a part of its id: as a TASK word, it finds
 * the task. Different ids have different forms.
 */
export function shortIds(ids: readonly string[], recorded: readonly RecordedNames[]): string[] {
  const forms = ids.map((id, i) => formsOf(id, recorded[i]));
  const level = new Map<string, number>();
  const shown = () =>
    ids.map((id, i) => {
      const own = forms[i] as string[];
      return own[Math.min(level.get(id) ?? 0, own.length - 1)] as string;
    });
  for (let round = 1; round <= UUID_LENGTHS.length; round++) {
    const doubles = doublesOf(ids, shown());
    if (doubles.length === 0) break;
    for (const id of doubles) level.set(id, round);
  }
  return shown();
}

/** The ids whose form is also that of another id, or finds another, because it differs from it only by slashes. */
function doublesOf(ids: readonly string[], forms: readonly string[]): string[] {
  const idsOf = new Map<string, Set<string>>();
  for (const [i, id] of ids.entries()) {
    const word = (forms[i] as string).replaceAll('/', '-');
    const same = idsOf.get(word);
    if (same === undefined) idsOf.set(word, new Set([id]));
    else same.add(id);
  }
  return [...idsOf.values()].filter(({ size }) => size > 1).flatMap((same) => [...same]);
}

/** The short forms of an id, the shortest first, and at last the id. */
function formsOf(id: string, recorded: RecordedNames | undefined): string[] {
  const { job, instance, uuid } = AURORA.exec(id)?.groups ?? {};
  if (job === undefined || uuid === undefined) return [id];
  const key = jobKey(job, recorded);
  const start = key === undefined ? id.slice(0, -uuid.length) : `${key}/${instance}/`;
  return [...UUID_LENGTHS.map((length) => start + uuid.slice(0, length)), id];
}

/** `ROLE/ENVIRONMENT/JOB`, if the user and the name of the task are the first and the last part. */
function jobKey(job: string, { user, name }: Partial<RecordedNames> = {}): string | undefined {
  if (!user || !name || !job.startsWith(`${user}-`) || !job.endsWith(`-${name}`)) return undefined;
  const environment = job.slice(user.length + 1, -name.length - 1);
  return environment === '' ? undefined : `${user}/${environment}/${name}`;
}
