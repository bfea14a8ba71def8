import { isTerminalTaskState } from '../checkpoint/records.js';
import { hostCommand, thermosCommand } from '../discovery/advised-command.js';
import type { Problem } from '../errors/problem.js';
import { LAYOUTS } from '../layout/layouts.js';
import { RUNNER } from '../layout/task-paths.js';
import { taskFileProblems } from '../task/task-schema.js';
import { isUnstarted, type TaskView } from '../task/view.js';
import { counted } from '../text/count.js';
import type { CommandAdvice, Symptom } from './finding.js';

/** A task file is written right after the first record. */
const YOUNG_MS = 60_000;

/** Finds what is wrong with the files of one task: its stream, those of its processes, its task file. Pure. */
export function* checkFiles(view: TaskView, now: number): Generator<Symptom> {
  yield* checkStream(view, now);
  for (const problem of view.problems) yield* checkProblem(view, problem, now);
  yield* checkTaskFile(view);
}

/** The path of a task's stream. */
export function streamOf(view: TaskView): string {
  return `${view.found.checkpoint_dir}/${RUNNER}`;
}

/** Has nothing been recorded of the task for too long to expect that it is about to start? */
function isLeft(view: TaskView, now: number): boolean {
  const { silent_since_ms } = view;
  return isUnstarted(view) && silent_since_ms !== undefined && now - silent_since_ms >= YOUNG_MS;
}

/** A stream that can be read to its end, but is incomplete or belongs to another task. */
function* checkStream(view: TaskView, now: number): Generator<Symptom> {
  const { task_id, phase, state, header, runner, statuses } = view;
  const path = streamOf(view);
  // checkProblem reports what could not be read.
  if (view.problems.some(({ code }) => code.startsWith('checkpoint-'))) return;
  if (phase === 'finished' && !isTerminalTaskState(state)) {
    yield {
      code: 'end-not-recorded',
      severity: 'warning',
      what: (count) =>
        `${counted(count, 'task')} in tasks/finished, but the checkpoint does not say how it ended`,
      evidence: [{ path, text: statuses.length === 0 ? 'no state is recorded' : `it ends with ${state}` }],
      advice: ['its end was cut off by a crash, a full disk or a copy; everything before that is correct'],
      task_id,
    };
  } else if (header === null && (runner?.alive === false || isLeft(view, now))) {
    yield {
      code: 'checkpoint-headless',
      severity: 'warning',
      what: (count) =>
        `${counted(count, 'task')} with a checkpoint that has no header: its host and user are unknown`,
      evidence: [{ path, text: `${state}, without a header` }],
      advice: ['the checkpoint does not lead to its logs and sandbox; gc collects it by its age'],
      task_id,
    };
  }
  const named = header?.task_id;
  if (named === undefined || named === task_id) return;
  yield {
    code: 'checkpoint-of-another-task',
    severity: 'warning',
    what: (count) =>
      `${counted(count, 'task')} with the checkpoint of another task, which was copied or forged`,
    evidence: [{ path, text: `its header is that of task ${named}` }],
    advice: ['gc refuses to touch its sandbox and logs: check them, then remove it by hand'],
    task_id,
  };
}

/** A task file that no runner could resume. */
function* checkTaskFile({ config, found, task_id }: TaskView): Generator<Symptom> {
  const problems = config === undefined ? [] : taskFileProblems(config.raw, found.task_file, task_id);
  if (problems.length === 0) return;
  yield {
    code: 'task-file-damaged',
    severity: 'warning',
    what: (count) => `${counted(count, 'task')} with a task file that no runner would accept`,
    evidence: problems.map(({ path = '', message }) => ({ path, text: message })),
    advice: ['the task is shown without the invalid fields; it cannot be resumed'],
    task_id,
  };
}

/** A problem that was found while the task was read, with advice. */
function* checkProblem(view: TaskView, problem: Problem, now: number): Generator<Symptom> {
  const { code, path = streamOf(view), offset, message } = problem;
  const live = view.runner?.alive === true;
  const launched = view.launch_time_ms;
  const since = isUnstarted(view) ? view.silent_since_ms : launched;
  const young = since !== undefined && now - Number(since) < YOUNG_MS;
  // A task looks like this while its runner writes a record or sets it up.
  if (live && (code === 'checkpoint-incomplete' || (young && code === 'task-file-missing'))) return;
  // It is not called dead while it may be about to start.
  if (isUnstarted(view) && young && ABOUT_TO_START.includes(code)) return;
  yield {
    code: codeOf(problem),
    severity: problem.severity,
    what: (count) => whatOf(problem, count),
    evidence: [{ path, offset, text: message }],
    advice: adviceOf(view, problem, path),
    task_id: view.task_id,
  };
}

/** Of a task whose runner has not made everything yet. */
const ABOUT_TO_START: readonly string[] = [
  'checkpoint-missing',
  'checkpoint-incomplete',
  'task-file-missing',
];

function codeOf({ code, severity }: Problem): Symptom['code'] {
  if (code === 'checkpoint-missing' && severity === 'warning') return 'task-not-started';
  return code === 'checkpoint-incomplete' ? 'checkpoint-torn' : code;
}

function whatOf({ code, message, severity }: Problem, count: number): string {
  const tasks = counted(count, 'task');
  switch (code) {
    case 'checkpoint-incomplete':
      return `${tasks} with a torn checkpoint: its writer died, or the disk was full, in the middle of a record`;
    case 'checkpoint-sparse':
    case 'checkpoint-damaged':
      return `${tasks} with a damaged checkpoint: nothing after the damage can be read`;
    case 'checkpoint-missing':
      if (severity === 'warning')
        return `${tasks} that never started: the runner died before it made the checkpoint`;
      return `${tasks} without a checkpoint: what happened to it is unknown`;
    case 'checkpoint-unreadable':
      return `${tasks} with a checkpoint that cannot be read`;
    case 'task-file-missing':
      return `${tasks} with checkpoints but without a task file`;
    case 'task-file-twice':
      return `${tasks} with a task file both in tasks/active and in tasks/finished`;
    case 'task-file-damaged':
    case 'task-file-unreadable':
      return `${tasks} with a task file that cannot be read`;
    default:
      return message;
  }
}

/** To let gc act on the task. */
export function gcAdvice({ root, task_id }: TaskView, text: string, ...flags: string[]): CommandAdvice {
  const command = (ids: readonly string[]) => hostCommand(root, ['gc', ...flags], ids);
  return { text, names: [task_id], command };
}

/** To see what a stream holds. */
export function recordsAdvice(
  text: string,
  path: string,
  { agent, access }: TaskView['root'],
): CommandAdvice {
  const flags = agent === undefined ? {} : { agent: [agent.url], access };
  return {
    text,
    names: [path],
    most: 1,
    command: (paths) => thermosCommand(['read', '--records'], flags, paths),
  };
}

function adviceOf(view: TaskView, { code, severity, hint }: Problem, path: string): Symptom['advice'] {
  const given = hint === undefined ? [] : [hint];
  // The agent owns the files of its tasks.
  const remove = LAYOUTS[view.layout].ownsSandboxes ? ['--include-mesos'] : [];
  switch (code) {
    case 'checkpoint-incomplete':
      return [
        recordsAdvice('everything before it is correct', path, view.root),
        'a runner that resumes the task removes the torn record',
      ];
    case 'checkpoint-sparse':
    case 'checkpoint-damaged':
      return [
        recordsAdvice('everything before the damage is correct', path, view.root),
        'check the disk (dmesg, SMART) if nobody wrote to the file',
      ];
    case 'checkpoint-missing':
      if (severity === 'warning') {
        return [gcAdvice(view, 'run it again, or let gc collect the rest after --orphan-age', ...remove)];
      }
      return [gcAdvice(view, 'it was removed, or a gc was interrupted; remove the rest', ...remove)];
    case 'task-file-missing':
      return [
        gcAdvice(
          view,
          'a gc was interrupted, or the runner died while starting; gc collects it after --orphan-age',
          ...remove,
        ),
      ];
    case 'task-file-twice':
      return ['the one in tasks/finished counts; remove the other if no runner is alive'];
    case 'task-file-damaged':
      return ['the stream still says what happened; the task cannot be resumed'];
    default:
      return given;
  }
}
