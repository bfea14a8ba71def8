import type { FileIdentity } from '../host/file-identity.js';
import { LAYOUTS } from '../layout/layouts.js';
import { isName } from '../layout/names.js';
import { sandboxesIn } from '../layout/root-paths.js';
import { RUNNER } from '../layout/task-paths.js';
import { isWithin, nameOf, parentOf } from '../store/paths.js';
import { isLogPath, type Question, type ShownEvidence } from './evidence.js';
import type { Item, Objection } from './guards.js';
import type { Measure, MeasureOptions } from './measure.js';
import { MARK, type Subject } from './subject.js';

export type ActionKind = 'metadata' | 'logs' | 'data';

/** Undefined for data: only sandboxes that `run` created in its root, and those that the user named. */
export interface KindsToDelete {
  metadata: boolean;
  logs: boolean;
  data: boolean | undefined;
}

/** A file or directory to remove, identified by its directory and its name. */
export interface Target {
  directory: string;
  name: string;
  measure: Measure;
  /** For logs and data: the sandbox, and the directory of the logs. */
  home?: string;
  logDir?: string;
  /** Trees in it that stay. */
  except?: readonly FileIdentity[];
  last?: readonly string[];
}

export interface Action {
  kind: ActionKind;
  /** For display: the path as recorded or found. */
  path: string;
  bytes: number;
  /** Undefined if it is not deleted. */
  target?: Target;
  verdict: 'delete' | 'kept' | 'refused';
  why?: string;
  hint?: string;
  /** A later gc may delete it, so the metadata that names it stays. */
  holds?: boolean;
}

/** Nothing of a task, or of one kind, may be touched now. */
export interface Kept {
  verdict: 'kept';
  why: string;
}

/** Stats of the file at a path. */
export type TopStat = Pick<Item, 'dev' | 'ino' | 'uid' | 'isDirectory'>;

/** The questions about the machine that planning asks. */
export interface PlanInspector {
  /** The path without links; undefined if it does not exist. */
  place(path: string, subject: Subject): { path: string } | { refused: string } | undefined;
  top(path: string): TopStat | undefined;
  shown(question: Question, subject: Subject): ShownEvidence;
  /** The first objection of the guards. */
  object(item: Item): Objection | undefined;
  /** Undefined if it does not exist. Throws the errors of reading it. */
  measure(directory: string, name: string, options: Omit<MeasureOptions, 'links'>): Measure | undefined;
  /** Is the path in the tree of a Mesos agent? */
  isAgents(path: string, subject: Subject): boolean;
  /** Defined if nothing of the task may be touched. */
  keptWhole(subject: Subject): Kept | undefined;
  /** Defined if the logs of a bare root's task whose sandbox is in an agent's tree may not be touched. */
  keptInTree(path: string, subject: Subject): Kept | undefined;
  describe(error: unknown): string;
}

export interface ActionOptions {
  kinds: KindsToDelete;
  /** Sandboxes that the user named, without links. */
  confirmed: ReadonlySet<string>;
}

/** The sandbox of the task, if its header can be trusted. */
interface Home {
  shown: string;
  /** Without links; undefined if it is refused. */
  path?: string;
  refused?: string;
  agents: boolean;
  /** `run` created it, in its root. */
  made: boolean;
}

/** The actions on a task's files, in order: the metadata, which names the rest, goes last. */
export function actionsOf(subject: Subject, options: ActionOptions, inspector: PlanInspector): Action[] {
  return new ActionPlanner(subject, options, inspector).plan();
}

class ActionPlanner {
  readonly #subject: Subject;
  readonly #options: ActionOptions;
  readonly #inspector: PlanInspector;
  readonly #home: Home | undefined;
  /** The sandbox that the logs have shown to belong to the task. */
  #shown: { home: string; logDir: string | undefined } | undefined;

  constructor(subject: Subject, options: ActionOptions, inspector: PlanInspector) {
    this.#subject = subject;
    this.#options = options;
    this.#inspector = inspector;
    this.#home = this.#findHome();
  }

  plan(): Action[] {
    const { kinds } = this.#options;
    const kept = this.#inspector.keptWhole(this.#subject);
    const actions: Action[] = [];
    const logs = this.#logs(kept);
    if (logs !== undefined && (kinds.logs || this.#home?.agents)) actions.push(logs);
    const data = this.#data(logs, kept);
    if (data !== undefined) actions.push(data);
    if (!kinds.metadata) return actions;
    const left = actions.find(({ holds }) => holds);
    const waits: Kept | undefined = left && {
      verdict: 'kept',
      why: `it names ${left.path}, which ${notGone(left)}`,
    };
    for (const each of this.#metadata(kept ?? waits)) actions.push(each);
    return actions;
  }

  #findHome(): Home | undefined {
    const { sandbox, headerFlaw, recordedSandbox, rootPath, root, task_id } = this.#subject;
    if (sandbox === undefined || !sandbox.found) return undefined;
    const none = { shown: sandbox.path, agents: false, made: false };
    if (headerFlaw !== undefined) return { ...none, refused: headerFlaw };
    if (recordedSandbox?.split('/').includes('..')) return { ...none, refused: 'its path contains ..' };
    const place = this.#inspector.place(sandbox.path, this.#subject);
    if (place === undefined) return undefined;
    if ('refused' in place) return { ...none, ...place };
    const agents = this.#inspector.isAgents(place.path, this.#subject);
    const made = place.path === ownSandbox(rootPath ?? root, task_id);
    return { shown: sandbox.path, path: place.path, agents, made };
  }

  #logs(kept: Kept | undefined): Action | undefined {
    const { logDir, runDirPath } = this.#subject;
    const home = this.#home;
    if (logDir === undefined || !logDir.found) return undefined;
    const named = { kind: 'logs' as const, path: logDir.path };
    const refused = (why: string): Action => actionOf(named, 'refused', why);
    const keeps =
      kept ?? (home?.path && home.agents ? this.#inspector.keptInTree(home.path, this.#subject) : undefined);
    if (keeps !== undefined) return actionOf(named, 'kept', keeps.why);
    if (home?.refused !== undefined) return refused(home.refused);
    // A Mesos task owns its whole run directory.
    const around = home?.path ?? runDirPath;
    if (around === undefined) return refused('it is not in the sandbox of the task');
    if (logDir.recorded.split('/').includes('..')) return refused('its path contains ..');
    const place = this.#inspector.place(logDir.path, this.#subject);
    if (place === undefined) return undefined;
    if ('refused' in place) return refused(place.refused);
    if (place.path === around || !isWithin(place.path, around)) {
      return refused('it is not in the sandbox of the task');
    }
    const fits = home?.made ? undefined : isLogPath;
    const action = this.#guarded(named, place.path, around, place.path, { fits });
    const unfit = action?.target?.measure.unfit;
    return unfit === undefined ? action : refused(`${unfit} in it is not a log`);
  }

  #data(logs: Action | undefined, kept: Kept | undefined): Action | undefined {
    const home = this.#home;
    if (home === undefined) return undefined;
    const { kinds, confirmed } = this.#options;
    const named = { kind: 'data' as const, path: home.shown };
    if (home.agents) return actionOf(named, 'kept', kept?.why ?? 'it belongs to the Mesos agent');
    const wanted = kinds.data ?? (home.made || (home.path !== undefined && confirmed.has(home.path)));
    if (!wanted) return undefined;
    const refused = (why: string): Action => actionOf(named, 'refused', why);
    if (kept !== undefined) return actionOf(named, 'kept', kept.why);
    if (home.refused !== undefined || home.path === undefined) return refused(home.refused ?? 'it is gone');
    const inner = logs?.target === undefined ? undefined : [logs.target.measure];
    const action = this.#guarded(named, home.path, home.path, this.#logPath(logs), { except: inner });
    const target = action?.target;
    if (target === undefined) return action;
    if (!kinds.logs && logs !== undefined && logs.verdict !== 'delete') {
      return refused(`the logs are to stay, but cannot be separated from it: ${logs.why}`);
    }
    if (!kinds.logs && inner !== undefined) target.except = inner;
    // Logs that cannot be removed stay in it unchanged and must not count as newer than the plan.
    for (const { newest } of inner ?? []) target.measure.newest = Math.max(target.measure.newest, newest);
    return action;
  }

  /** The directory of the logs, needed as evidence even if they are not removed. */
  #logPath(logs: Action | undefined): string | undefined {
    if (logs?.target !== undefined) return `${logs.target.directory}/${logs.target.name}`;
    const { logDir } = this.#subject;
    const place = logDir?.found ? this.#inspector.place(logDir.path, this.#subject) : undefined;
    return place !== undefined && 'path' in place ? place.path : undefined;
  }

  /** The action for logs or data, which are measured only if no guard objects. */
  #guarded(
    named: { kind: 'logs' | 'data'; path: string },
    path: string,
    home: string,
    logDir: string | undefined,
    options: Omit<MeasureOptions, 'links'>,
  ): Action | undefined {
    const top = this.#inspector.top(path);
    if (top === undefined) return undefined;
    const question = questionOf(this.#subject, path, home, logDir);
    // Logs are evidence for the sandbox that contains them, too.
    const known = this.#shown?.home === home && this.#shown.logDir === logDir;
    const shown: ShownEvidence = known ? { by: 'logs' } : this.#inspector.shown(question, this.#subject);
    if ('by' in shown && shown.by === 'logs') this.#shown = { home, logDir };
    const found = this.#inspector.object(itemOf(named.kind, this.#subject, path, home, top, shown));
    if (found !== undefined) return objected(named, found);
    const action = this.#measured(named, parentOf(path), nameOf(path), options);
    if (action?.target !== undefined) {
      action.target.home = home;
      action.target.logDir = logDir;
    }
    return action;
  }

  #metadata(kept: Kept | undefined): Action[] {
    const { checkpointDir, taskFiles } = this.#subject;
    const actions: Action[] = [];
    for (const path of [checkpointDir, ...taskFiles]) {
      const named = { kind: 'metadata' as const, path };
      if (kept !== undefined) {
        if (this.#inspector.top(path) !== undefined) actions.push(actionOf(named, kept.verdict, kept.why));
        continue;
      }
      const place = this.#inspector.place(parentOf(path), this.#subject);
      if (place === undefined) continue;
      if ('refused' in place) {
        actions.push(actionOf(named, 'refused', place.refused));
        continue;
      }
      const action = this.#measured(named, place.path, nameOf(path), {}, METADATA_LAST);
      if (action === undefined) continue;
      if (path === checkpointDir && action.target?.measure.isDirectory === false) {
        actions.push(actionOf(named, 'refused', 'it is not a directory'));
      } else actions.push(action);
    }
    return actions;
  }

  /** Undefined if it does not exist. */
  #measured(
    named: Pick<Action, 'kind' | 'path'>,
    directory: string,
    name: string,
    options: Omit<MeasureOptions, 'links'>,
    last?: readonly string[],
  ): Action | undefined {
    try {
      const found = isName(name) ? this.#inspector.measure(directory, name, options) : undefined;
      if (found === undefined) return undefined;
      return actionOf(named, 'delete', undefined, found.bytes, { directory, name, measure: found, last });
    } catch (error) {
      return objected(named, { verdict: 'refused', why: this.#inspector.describe(error), holds: true });
    }
  }
}

/** The most informative files go last. */
const METADATA_LAST = [RUNNER, MARK];

function notGone({ verdict }: Action): string {
  return verdict === 'kept' ? 'stays' : 'cannot be removed now';
}

/** The default sandbox of a task under `run`. */
export function ownSandbox(root: string, taskId: string): string {
  return `${sandboxesIn(root)}/${taskId}`;
}

/** The question whether logs or data belong to a task. `home`: the sandbox. */
export function questionOf(
  { task_id, rootPath, root, layout, runDirPath, ran, uid, copied, sandbox }: Subject,
  path: string,
  home: string,
  logDir: string | undefined,
): Question {
  const own =
    LAYOUTS[layout].ownsSandboxes && runDirPath !== undefined
      ? runDirPath
      : ownSandbox(rootPath ?? root, task_id);
  // A sandbox found at another path than recorded was copied with the checkpoint.
  const named = copied && sandbox?.path === sandbox?.recorded;
  return { task_id, own, path, home, logDir, ran, uid, copied: named };
}

export function itemOf(
  kind: Item['kind'],
  { task_id, key, layout, rootPath, root, authors }: Subject,
  path: string,
  home: string,
  { dev, ino, uid, isDirectory }: TopStat,
  shown: ShownEvidence,
): Item {
  return {
    kind,
    task_id,
    key,
    layout,
    root: rootPath ?? root,
    path,
    home,
    dev,
    ino,
    uid,
    isDirectory,
    authors,
    shown,
  };
}

/** Without spread: V8 gives an object made with `...` its own shape, larger than itself, and a plan has many objects. */
function actionOf(
  { kind, path }: Pick<Action, 'kind' | 'path'>,
  verdict: Action['verdict'],
  why?: string,
  bytes = 0,
  target?: Target,
): Action {
  return { kind, path, bytes, verdict, why, target };
}

function objected(named: Pick<Action, 'kind' | 'path'>, { verdict, why, hint, holds }: Objection): Action {
  const action = actionOf(named, verdict, why);
  if (hint !== undefined) action.hint = hint;
  if (holds === true) action.holds = true;
  return action;
}
