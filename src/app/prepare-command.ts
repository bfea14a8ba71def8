import { UsageError } from '../errors/errors.js';
import { quoted } from '../text/shell.js';
import { identityOf, type PreparedTask, type TaskIdentity } from './prepared-task.js';

export interface CommandOptions extends TaskIdentity {
  /** Of the task and of its process. */
  readonly name: string;
  /** Values for `{{NAME}}`; later ones win. */
  readonly bindings: readonly (readonly [name: string, value: string])[];
  readonly ports: ReadonlyMap<string, number>;
}

/** The same as the original's simplerun gives to a task. */
const RESOURCES = { cpu: 1.0, ram: 256 * 1024 * 1024, disk: 0 };

/** The task of one process that runs the command. Throws UsageError `port-unbound`. */
export function prepareCommand(
  words: readonly string[],
  { name, bindings, ports, ...identity }: CommandOptions,
  now: number,
): PreparedTask {
  const { taskId, user } = identityOf(name, identity, now);
  const values = new Map<string, string>([
    ['thermos.task_id', taskId],
    ['thermos.user', user],
    ...[...ports].map(([port, number]): [string, string] => [`thermos.ports[${port}]`, String(number)]),
    ...bindings,
  ]);
  // Values are filled in before the words are quoted, so that they are not syntax.
  const line = commandLine(words.map((word) => fillWord(word, values)));
  const cmdline = exportLine(bindings) + line;
  return {
    path: name,
    taskId,
    user,
    ports: Object.fromEntries(ports),
    document: { name, resources: RESOURCES, processes: [{ name, cmdline }] },
    settings: [],
    problems: [],
  };
}

/** The command line for bash: a single word is the line itself, each of several words is quoted. Pure. */
export function commandLine(words: readonly string[]): string {
  return words.length === 1 ? (words[0] as string) : words.map(quoted).join(' ');
}

/** Unknown names in braces stay: they belong to the command, because many programs have templates. */
export function fillWord(word: string, values: ReadonlyMap<string, string>): string {
  return word.replace(/\{\{([^{}]+)\}\}/g, (tag, name: string) => {
    const port = /^thermos\.ports\[(.+)\]$/.exec(name)?.[1];
    if (port !== undefined && !values.has(name)) {
      const hint = `give it with -P ${port}:PORT`;
      throw new UsageError('port-unbound', `the command needs the port '${port}'`, hint);
    }
    return values.get(name) ?? tag;
  });
}

/** Exports the variables of `-E` whose names bash accepts. */
function exportLine(bindings: CommandOptions['bindings']): string {
  return bindings
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `export ${name}=${quoted(value)}; `)
    .join('');
}
