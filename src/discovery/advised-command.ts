import { absolutePath } from '../store/look.js';
import { shellArguments, shellWords } from '../text/shell.js';
import type { TaskRoot } from './found.js';
import type { RootOptions } from './roots.js';

/** The values of --root, --mesos-root, --agent and --master. */
export type RootFlagValues = RootOptions['flags'] & {
  agent?: readonly string[];
  master?: readonly string[];
  /** The other flags that agents and masters are asked with: `--ca`, and its file. */
  access?: readonly string[];
};

/**
 * A thermos command that a person is advised to run. Pasted into a shell, whatever the directory, it searches these
 * roots, and `names` are exactly these arguments. Pure.
 */
export function thermosCommand(
  words: readonly string[],
  { root = [], mesosRoot = [], agent = [], master = [], access = [] }: RootFlagValues,
  names: readonly string[] = [],
): string {
  const flags = [
    ...root.flatMap((path) => ['--root', path]),
    ...mesosRoot.flatMap((path) => ['--mesos-root', path]),
    ...agent.flatMap((url) => ['--agent', url]),
    ...master.flatMap((url) => ['--master', url]),
    ...(agent.length > 0 || master.length > 0 ? access : []),
  ];
  const command = shellWords(['thermos', ...words, ...flags]);
  return names.length === 0 ? command : `${command} ${shellArguments(...names)}`;
}

/**
 * A command on the host of a root that changes something there: on this host as it is, on that of an agent by ssh, where
 * the roots of the agent are found without flags. Pure.
 */
export function hostCommand(root: TaskRoot, words: readonly string[], names: readonly string[]): string {
  const { agent } = root;
  if (agent === undefined) return thermosCommand(words, rootFlagsOf(root), names);
  const host = agent.hostname === '' ? 'HOST' : agent.hostname;
  return shellWords(['ssh', '--', host, thermosCommand(words, {}, names)]);
}

/** The roots that the person's own flags name, as absolute paths. */
export function givenRoots({ flags, cwd = '/' }: Pick<RootOptions, 'flags' | 'cwd'>): RootFlagValues {
  return {
    root: flags.root?.map((path) => absolutePath(path, cwd)),
    mesosRoot: flags.mesosRoot?.map((path) => absolutePath(path, cwd)),
  };
}

/** How a root was found that no command finds by itself, or not one with a TASK. */
const ONLY_BY_FLAG: ReadonlySet<string> = new Set(['--root', '--mesos-root', 'cwd', 'argument']);

/** The flags with which every command finds these roots; none for those that it finds without. Pure. */
export function rootFlagsOf(...roots: readonly TaskRoot[]): RootFlagValues {
  const root = new Set<string>();
  const mesosRoot = new Set<string>();
  const agents = new Set<string>();
  let access: readonly string[] | undefined;
  for (const { path, run_dir, source, named, agent, access: given } of roots) {
    if (agent !== undefined) agents.add(agent.url);
    access ??= given;
    if (!ONLY_BY_FLAG.has(source)) continue;
    if (run_dir === undefined) root.add(named ?? path);
    else mesosRoot.add(named ?? run_dir);
  }
  const flags = { root: [...root], mesosRoot: [...mesosRoot] };
  return agents.size === 0 ? flags : { ...flags, agent: [...agents], access };
}
