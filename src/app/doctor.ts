import { hostname } from 'node:os';
import type { DoctorDocument } from '../contracts/doctor.js';
import type { FoundTask } from '../discovery/found.js';
import type { Selection } from '../discovery/select.js';
import { checkEnd } from '../doctor/check-end.js';
import { checkUsage } from '../doctor/check-usage.js';
import {
  diagnoseAccess,
  diagnoseHost,
  diagnoseMissing,
  diagnoseTask,
  type Examination,
} from '../doctor/diagnose.js';
import { type Finding, findingsOf, isWrong, worstFirst } from '../doctor/finding.js';
import { gatherSources } from '../doctor/gather-sources.js';
import { timelineOf } from '../doctor/timeline.js';
import { EXIT, type ExitCode } from '../errors/exit-codes.js';
import type { Host } from '../host/host.js';
import { inspectTask } from '../logs/inspection.js';
import { localLogs } from '../logs/local-logs.js';
import { outputToRead } from '../logs/output-to-read.js';
import { TaskReader } from '../task/reader.js';
import type { TaskView } from '../task/view.js';
import { NO_ROOT, rootOptions } from './root-options.js';
import { noSuchTask, notOneTask, type RootFlags, tasksToLookAt } from './search.js';
import { type ObservePorts, observeUse } from './task-uses.js';

export interface DoctorPorts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly host: Host;
  readonly use: ObservePorts;
}

export interface DoctorAnswer {
  readonly document: DoctorDocument;
  readonly exitCode: ExitCode;
  /** What to say if there was nothing to look at. */
  readonly notice?: string;
}

/** Examines the host, or the one task that the word matches. Rejects like `inspectNamed`. */
export async function examine(
  word: string | undefined,
  roots: RootFlags,
  { now, host, use }: DoctorPorts,
): Promise<DoctorAnswer> {
  const selection = tasksToLookAt(roots, word === undefined ? [] : [word]);
  const examination: Examination = { options: rootOptions(roots), host, now, hostname: hostname() };
  const document =
    word === undefined
      ? await examineHost(selection, examination, use)
      : await examineTask(word, selection, examination, use);
  const { checked, findings } = document;
  // A root that was named and is none is a finding.
  const isBare = checked.roots + checked.agents + findings.length === 0;
  const notice = isBare ? NO_ROOT : undefined;
  return { document, exitCode: isWrong(document.findings) ? EXIT.no : EXIT.ok, notice };
}

async function examineHost(
  selection: Selection,
  examination: Examination,
  use: ObservePorts,
): Promise<DoctorDocument> {
  const { findings, problems, checked, running } = diagnoseHost(selection, examination);
  return {
    findings: worstFirst([...findings, ...(await examineUse(running, use))]),
    problems,
    checked,
  };
}

/** What cannot be measured, as in a container, is nothing that is wrong. */
async function examineUse(views: readonly TaskView[], use: ObservePorts): Promise<Finding[]> {
  return findingsOf((await observeUse(views, use)).flatMap((each) => [...checkUsage(each)]));
}

async function examineTask(
  word: string,
  selection: Selection,
  examination: Examination,
  use: ObservePorts,
): Promise<DoctorDocument> {
  if (selection.unmatched.length > 0) return examineMissing(word, selection, examination);
  const { selected, problems } = selection;
  const ids = [...new Set(selected.map(({ task_id }) => task_id))].sort();
  if (ids.length !== 1) throw notOneTask(word, ids);
  const { host, now } = examination;
  const views = (selected as [FoundTask, ...FoundTask[]])
    .map((found) => new TaskReader(found, { history: true }).read(host))
    .sort((a, b) => Number(b.launch_time_ms ?? 0) - Number(a.launch_time_ms ?? 0));
  const [view, ...others] = views;
  if (view === undefined) throw notOneTask(word, ids);
  const { why, logs } = await inspectTask(view, localLogs(view), now);
  // If the task cannot be read, that is the finding.
  const closed = view.found.unreadable === true;
  const { task_id, root, layout, phase, state, verdict } = view;
  const ofUse = await examineUse([view], use);
  return {
    findings: [
      ...findingsOf(checkEnd(view, why, outputToRead(view, logs))),
      ...worstFirst([...diagnoseTask(view, examination), ...ofUse]),
      ...(closed ? diagnoseAccess(selection, examination) : []),
    ],
    checked: { roots: 1, tasks: 1, agents: 0 },
    task: { task_id, root: root.path, layout, phase, state, verdict },
    story: timelineOf(view, gatherSources(view, host, now)),
    problems: [
      ...(closed ? [] : problems),
      ...others.map((other) => ({
        code: 'task-in-several-roots' as const,
        severity: 'warning' as const,
        message: `task ${task_id} is in ${other.root.path} too; this is the one that was launched last`,
        path: other.root.path,
        task_id,
      })),
    ],
  };
}

/** A task that never started: its executor may have left a run directory that says why. */
function examineMissing(word: string, selection: Selection, examination: Examination): DoctorDocument {
  const findings = diagnoseMissing(word, selection, examination);
  if (findings === undefined) throw noSuchTask(selection);
  return {
    findings,
    checked: { roots: selection.roots.length, tasks: 0, agents: 0 },
    problems: selection.problems,
  };
}
