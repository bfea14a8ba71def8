import { type RootFlagValues, thermosCommand } from '../discovery/advised-command.js';
import type { Problem } from '../errors/problem.js';
import { counted } from '../text/count.js';
import { shellWords } from '../text/shell.js';
import type { FindingEvidence, Symptom } from './finding.js';

/** The mode and owner of a directory that this user may not read. */
export interface ClosedDirectory {
  path: string;
  /** As `ls -l` shows it: `drwxr-x---`. */
  mode: string;
  owner: string;
  group: string;
}

const UNREADABLE = new Set(['root-unreadable', 'sandbox-unreadable']);

export interface AccessFacts {
  /** The roots that the person named. */
  roots: RootFlagValues;
  /** The directories that could not be entered. */
  access: readonly ClosedDirectory[];
  /** The work directories of agents, and where each path was found. */
  workDirs: readonly { path: string; source: string }[];
  /** Work directories that exist: an agent may have no tasks. */
  trees: ReadonlySet<string>;
}

/** What discovery could not find or read. Pure. */
export function* checkDiscovery(
  problems: readonly Problem[],
  { roots, access, workDirs, trees }: AccessFacts,
): Generator<Symptom> {
  for (const problem of problems) {
    if (problem.code === 'root-empty' && trees.has(problem.path ?? '')) continue;
    if (UNREADABLE.has(problem.code)) {
      const below = access.filter(({ path }) => related(path, problem.path));
      yield unreadable(problem, below, roots);
    } else {
      yield {
        code: problem.code,
        severity: problem.severity,
        cause: problem.path,
        what: () => problem.message,
        evidence: problem.path === undefined ? [] : [{ path: problem.path, text: 'looked for here' }],
        advice: [...(problem.hint === undefined ? [] : [problem.hint]), ...otherWorkDirs(problem, workDirs)],
      };
    }
  }
}

function related(path: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  return path === other || path.startsWith(`${other}/`) || other.startsWith(path === '/' ? '/' : `${path}/`);
}

/** For a root that is missing while an agent works elsewhere: Aurora's observer shows nothing then, and neither do we. */
function otherWorkDirs({ path }: Problem, workDirs: readonly { path: string; source: string }[]): string[] {
  return workDirs
    .filter((workDir) => workDir.path !== path)
    .map(
      (workDir) =>
        `${workDir.source} says that an agent works in ${workDir.path}; look there: ${thermosCommand(['doctor'], { mesosRoot: [workDir.path] })}`,
    );
}

function unreadable(
  { code, message, severity, path, hint }: Problem,
  access: readonly ClosedDirectory[],
  roots: RootFlagValues,
): Symptom {
  const evidence: FindingEvidence[] = access.map(({ path: at, mode, owner, group }) => ({
    path: at,
    text: `${mode} ${owner}:${group}`,
  }));
  if (evidence.length === 0 && path !== undefined) evidence.push({ path, text: 'cannot be read' });
  return {
    code,
    // Discovery reports a default root that can't be read as a warning: nobody asked for it.
    severity: severity === 'warning' ? 'note' : severity,
    cause: path,
    what: () => message,
    evidence,
    advice: hint === undefined ? [] : [hint, ...accessAdvice(access, roots)],
  };
}

/** The permissions of run directories, by version: mesos.md 2.3 of the project's facts. */
function accessAdvice(access: readonly ClosedDirectory[], roots: RootFlagValues): string[] {
  const runs = access.filter(({ path }) => /\/runs\/[^/]+$/.test(path));
  const owners = [...new Set(runs.map(({ owner }) => owner))].filter((owner) => owner !== 'root');
  const advice: string[] = [];
  for (const owner of owners.slice(0, 3)) {
    const command = `${shellWords(['sudo', '-u', owner])} ${thermosCommand(['doctor'], roots)}`;
    advice.push(`or run it as the task's user: ${command}`);
  }
  if (runs.some(({ owner }) => owner === 'root')) {
    advice.push(
      `Mesos 1.6 and later restrict ${counted(runs.length, 'sandbox', 'sandboxes')} to root; Aurora 0.21 and later give each one to its task's user`,
    );
  }
  return advice;
}
