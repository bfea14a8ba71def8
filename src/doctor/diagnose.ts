import { givenRoots } from '../discovery/advised-command.js';
import type { FoundTask } from '../discovery/found.js';
import type { RootOptions } from '../discovery/roots.js';
import type { Selection } from '../discovery/select.js';
import type { Problem } from '../errors/problem.js';
import type { Host } from '../host/host.js';
import { LAYOUTS } from '../layout/layouts.js';
import { taskIdOfExecutor } from '../layout/mesos.js';
import { readTasks } from '../task/board.js';
import { startsOfTask } from '../task/starts.js';
import type { TaskView } from '../task/view.js';
import { counted } from '../text/count.js';
import { checkDiscovery } from './check-access.js';
import { checkAgent } from './check-agent.js';
import { checkDisk } from './check-disk.js';
import { checkEmptyRun, type EmptyRun } from './check-executor.js';
import { checkTask, type HostProbe } from './check-task.js';
import type { FileTail } from './file-tail.js';
import { type Finding, findingsOf, type Symptom } from './finding.js';
import { type Agents, gatherAgents, type LogPlaces } from './gather-agent.js';
import { type DiskPlace, gatherAccess, gatherDisks, isAbsent } from './gather-host.js';
import { emptyRuns, runsWithTasks } from './gather-runs.js';

/** The input of an examination, with the clock and the host name. */
export interface Examination {
  options: RootOptions;
  host: Host;
  now: number;
  hostname: string;
  /** Where agents log by default; replaced in tests. */
  logPlaces?: LogPlaces;
}

export interface Diagnosis {
  findings: Finding[];
  /** What could not be checked. */
  problems: Problem[];
  checked: { roots: number; tasks: number; agents: number };
  /** The tasks that run, whose use is checked. */
  running: TaskView[];
}

/** Examines the host: everything that discovery found, and the agents and disks around it. */
export function diagnoseHost(selection: Selection, examination: Examination): Diagnosis {
  const { options, host, now } = examination;
  const agents = gatherAgents(options, selection.roots, host, examination.logPlaces);
  const tasks = checkTasks(selection.selected, examination);
  const closed = selection.problems.map(({ path }) => path).filter((path) => path !== undefined);
  const unreadable = selection.roots.some(({ readable }) => !readable) || closed.length > 0;
  const access = unreadable ? gatherAccess(selection.roots, closed, host) : [];
  const roots = givenRoots(options);
  const trees = new Set(agents.facts.map(({ workDir }) => workDir));
  const symptoms: Symptom[] = [
    ...checkDiscovery(selection.problems, { roots, access, workDirs: agents.workDirs, trees }),
  ];
  for (const facts of agents.facts) {
    for (const each of checkAgent(facts, now)) symptoms.push(each);
  }
  for (const disk of gatherDisks(diskPlaces(selection, agents, tasks.sandboxes), host.mounts())) {
    for (const each of checkDisk(disk, roots)) symptoms.push(each);
  }
  for (const each of tasks.symptoms) symptoms.push(each);
  const withTasks = runsWithTasks(selection.tasks.map(({ root }) => root));
  for (const { run, logs } of runsOf(agents, withTasks, host))
    for (const each of checkEmptyRun(run, now, logs)) symptoms.push(each);
  return {
    findings: findingsOf(symptoms),
    problems: [...agents.problems, ...tasks.problems],
    checked: { roots: selection.roots.length, tasks: selection.selected.length, agents: agents.facts.length },
    running: tasks.running,
  };
}

/** Finds why roots can't be read. */
export function diagnoseAccess(selection: Selection, { host, options }: Examination): Finding[] {
  const paths = selection.problems.map(({ path }) => path).filter((path) => path !== undefined);
  const access = gatherAccess(selection.roots, paths, host);
  return findingsOf(
    checkDiscovery(selection.problems, {
      roots: givenRoots(options),
      access,
      workDirs: [],
      trees: new Set(),
    }),
  );
}

/** Examines one task and the disks that it writes to. */
export function diagnoseTask(view: TaskView, examination: Examination): Finding[] {
  const places: DiskPlace[] = [];
  const inUse = view.runner?.alive === true;
  places.push({ path: view.root.path, inUse });
  for (const place of [view.sandbox, view.log_dir])
    if (place?.found) places.push({ path: place.path, inUse });
  const symptoms = [...checkTask(view, hostProbe(examination))];
  if (inUse) {
    for (const disk of gatherDisks(places, examination.host.mounts())) {
      for (const each of checkDisk(disk, givenRoots(examination.options))) symptoms.push(each);
    }
  }
  return findingsOf(symptoms);
}

/**
 * Finds what is wrong with the executors that should have run the task of this id (or have this id themselves) but
 * left a run directory without it, for users who ask about a task that never existed. Undefined if there is none.
 */
export function diagnoseMissing(
  word: string,
  selection: Pick<Selection, 'roots' | 'tasks'>,
  examination: Examination,
): Finding[] | undefined {
  const { options, host, now, logPlaces } = examination;
  const agents = gatherAgents(options, selection.roots, host, logPlaces);
  const withTasks = runsWithTasks(selection.tasks.map(({ root }) => root));
  let found = false;
  const symptoms: Symptom[] = [];
  for (const { run, logs } of runsOf(agents, withTasks, host)) {
    const { executor_id } = run.mesos;
    if (executor_id !== word && taskIdOfExecutor(executor_id) !== word) continue;
    found = true;
    for (const each of checkEmptyRun(run, now, logs)) symptoms.push(each);
  }
  return found ? findingsOf(symptoms) : undefined;
}

function* runsOf(
  agents: Agents,
  withTasks: ReadonlySet<string>,
  host: Host,
): Generator<{ run: EmptyRun; logs: readonly FileTail[] }> {
  for (const { workDir, logs } of agents.facts) {
    for (const run of emptyRuns(workDir, withTasks, (pid) => host.process(pid) !== undefined))
      yield { run, logs };
  }
}

function hostProbe({ now, hostname, host }: Examination): HostProbe {
  return {
    now,
    hostname,
    bootTimeMs: host.bootTimeMs,
    process: (pid) => host.process(pid),
    runnerStart: (view) => startsOfTask(view.found, view.uid, host).starts.of(view.runner?.pid),
    // No file has this inode, so this is false where all locks are visible, and undefined elsewhere.
    seesLocks: host.isLocked({ dev: 0, ino: 0 }) === false,
    knowsUser: (name) => host.knowsUser(name),
    isAbsent,
  };
}

interface CheckedTasks {
  symptoms: Symptom[];
  problems: Problem[];
  /** Sandboxes of running tasks. */
  sandboxes: Set<string>;
  running: TaskView[];
}

/** Drops the view of each task that does not run as soon as it is checked: there may be ten thousand. */
function checkTasks(tasks: readonly FoundTask[], examination: Examination): CheckedTasks {
  const facts = hostProbe(examination);
  const checked: CheckedTasks = { symptoms: [], problems: [], sandboxes: new Set(), running: [] };
  let unknown = 0;
  // A sandbox that can't be entered is already a finding of the host.
  for (const view of readTasks(
    tasks.filter(({ unreadable }) => !unreadable),
    examination.host,
  )) {
    for (const each of checkTask(view, facts)) checked.symptoms.push(each);
    if (view.phase === 'active' && view.runner?.alive === null && view.problems.length === 0) unknown += 1;
    if (view.phase === 'active' && view.runner?.alive) checked.running.push(view);
    if (view.runner?.alive && view.sandbox?.found) checked.sandboxes.add(view.sandbox.path);
  }
  if (unknown > 0) {
    checked.problems.push({
      code: 'not-checked',
      severity: 'warning',
      message: `the runners of ${counted(unknown, 'active task')} cannot be checked from here: locks of other pid namespaces are hidden`,
      hint: 'run it on the host, outside containers',
    });
  }
  return checked;
}

/** Where tasks and their checkpoints are written. */
function* diskPlaces(
  selection: Selection,
  agents: Agents,
  sandboxes: ReadonlySet<string>,
): Generator<DiskPlace> {
  const live = new Set<string>();
  for (const { root, phase } of selection.tasks) if (phase === 'active') live.add(root.path);
  for (const { workDir, running } of agents.facts) {
    yield { path: workDir, inUse: running !== undefined, headroom: agents.headroom.get(workDir) };
  }
  for (const { path, layout, source, readable } of selection.roots) {
    if (!readable) continue;
    // Sandboxes are on the disk of their work directory, and there may be thousands.
    if (LAYOUTS[layout].isOneOfMany && !live.has(path)) continue;
    yield { path, inUse: live.has(path) || source === 'default' || source === 'user' };
  }
  for (const path of sandboxes) yield { path, inUse: true };
}
