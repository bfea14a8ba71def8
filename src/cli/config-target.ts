import type { ProcessSelection } from '../config/selection.js';
import { isPathWord, namedByPath } from '../discovery/task-path.js';
import { UsageError } from '../errors/errors.js';
import { isDirectory, presenceOf } from '../store/look.js';

/** The flags of `CONFIG_FLAGS`, as they were given. */
export interface ConfigFlags {
  task?: string;
  environment?: string[];
  port?: string[];
  job?: string;
  instance?: string;
  only?: string[];
  from?: string[];
  json?: boolean;
}

/** Names of configs; a missing file with such a name was meant as a config. */
const CONFIG_NAME = /\.(thermos|aurora|mesos_recipe|json)$/;

const OF_CONFIGS = ['task', 'environment', 'port', 'job', 'instance', 'only', 'from'] as const;

/** Whether there is a flag that only a config can have. */
export function hasConfigFlag(flags: ConfigFlags): boolean {
  return OF_CONFIGS.some((name) => flags[name] !== undefined);
}

/** Throws UsageError if there is such a flag, and no config: `why`. */
export function refuseConfigFlags(flags: ConfigFlags, why: string): void {
  const name = OF_CONFIGS.find((each) => flags[each] !== undefined);
  if (name !== undefined) throw new UsageError('usage', `--${name} needs a config: ${why}`);
}

/** The processes that the flags choose; undefined: all. */
export function selectionOf({
  only,
  from,
}: Pick<ConfigFlags, 'only' | 'from'>): ProcessSelection | undefined {
  if (only !== undefined) return { kind: 'only', words: only };
  return from && { kind: 'from', words: from };
}

/** Whether a word means a config, without a search for tasks: there is a config flag, or a config file at this path. */
export function meansConfig(word: string, flags: ConfigFlags): boolean {
  return hasConfigFlag(flags) || namesConfig(word);
}

/** Whether there is a config file at this path, by its name or because it is not part of a task. */
export function namesConfig(word: string): boolean {
  if (!isThere(word) || (isPathWord(word) && namedByPath(word, process.cwd())?.task_id !== undefined)) {
    return false;
  }
  return CONFIG_NAME.test(word) || (isPathWord(word) && !isDirectory(word));
}

/** Whether a word names a config or another file: it then means no task of which it is only a part of the id. */
export function namesFile(word: string): boolean {
  return CONFIG_NAME.test(word) || (isThere(word) && !isDirectory(word));
}

/** Whether a word that matches no task means a config. */
export function mayMeanConfig(word: string): boolean {
  return CONFIG_NAME.test(word) || (isThere(word) && word !== '.' && word !== '..');
}

function isThere(path: string): boolean {
  const presence = presenceOf(path);
  return presence === 'directory' || presence === 'other';
}
