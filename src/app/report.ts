import { createHash } from 'node:crypto';
import { encodeResourcesSeen } from '../contracts/encode-report.js';
import type { ResourcesSeenDocument } from '../contracts/report.js';
import type { FoundTask } from '../discovery/found.js';
import { describeErrno, errnoOf, SystemError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { isShortage, shortageRemedy } from '../errors/shortage.js';
import { isName } from '../layout/names.js';
import { REPORT_FILES, TASK_PAGES } from '../layout/report-paths.js';
import type { LogsOf } from '../logs/log-tree.js';
import { reportScript } from '../report/data.js';
import { inOrder, type ListedTask, listedTask, type TaskList } from '../report/list/list.js';
import type { TaskReport } from '../report/model.js';
import { reportText } from '../report/text.js';
import { taskTrace } from '../report/trace.js';
import { isDenied } from '../store/denied.js';
import { OutputTree } from '../store/output-tree.js';
import { RefusedError } from '../store/refused.js';
import type { TaskGatherer } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import type { TaskHistory } from '../top/usage-history.js';
import type { Progress } from './progress.js';
import type { LinkSources } from './report-links.js';
import { NO_ROOT } from './root-options.js';
import { missingTasks, noSuchTask } from './search.js';
import { taskReport } from './task-report.js';
import type { UsageRecord } from './usage-record.js';

/** What draws the pages; it is a part of the program that is loaded when it is needed. */
export interface PageMakers {
  taskPage(report: TaskReport, options?: { refresh?: number }): string;
  listPage(list: TaskList, options?: { refresh?: number }): string;
}

export interface ReportOptions {
  words: readonly string[];
  /** A word is a whole id. */
  exact?: boolean;
  /** Absolute: where the pages are written. */
  directory: string;
  /** How many bytes of logs a page has at most. */
  logBytes: number;
  /** Writes a trace of each task, too. */
  trace: boolean;
  links: LinkSources;
}

export interface ReportPorts {
  gatherer: TaskGatherer;
  logsOf: LogsOf;
  pages: PageMakers;
  now(): number;
  /** The program and its version. */
  madeBy: string;
  hostname: string;
  /** What `top --record` has written. */
  usage?: UsageRecord;
  progress: Progress;
}

/** The page of a task, as it was written. */
export interface WrittenPage {
  task_id: string;
  root: string;
  path: string;
  bytes: number;
  resources_seen?: ResourcesSeenDocument;
}

export interface ReportAnswer {
  pages: readonly WrittenPage[];
  /** The path of the list of all of them. */
  index: string;
  problems: readonly Problem[];
  /** What to say if there are no tasks. */
  notice?: string;
}

/** Seconds after which a browser loads a page again that is being rewritten. */
const REFRESH_S = 5;

/**
 * Writes a page for each task that the words match, and a list of them. Rejects with NotFoundError if no word matches,
 * and SystemError `report-unwritable` if the directory cannot be written or is full.
 */
export async function makeReports(options: ReportOptions, ports: ReportPorts): Promise<ReportAnswer> {
  const { gatherer, progress, usage } = ports;
  const selection = await gatherer.find(options.words, options.exact ? 'exact' : 'look');
  if (selection.unmatched.length > 0 && selection.selected.length === 0) throw noSuchTask(selection);
  const problems = [...selection.problems, ...missingTasks(selection), ...(usage?.read() ?? [])];
  const writer = new ReportWriter(options, ports);
  try {
    progress.start('writing pages');
    const total = selection.selected.length;
    const placed = placesOf(await newestFirst(selection.selected, gatherer));
    for (const [done, { found, names }] of placed.entries()) {
      progress.update({ done, total, what: 'tasks' });
      for (const problem of await writer.write(await gatherer.source(found).read(), names))
        problems.push(problem);
    }
    for (const problem of usage?.missing() ?? []) problems.push(problem);
    const index = writer.writeList(selection.problems);
    const roots = selection.roots.map(({ path }) => path).join(', ');
    const notice = total > 0 ? undefined : roots === '' ? NO_ROOT : `No tasks in ${roots}.`;
    return { pages: writer.pages, index, problems, notice };
  } finally {
    progress.stop();
    writer.close();
  }
}

/** Where the page of a task is, below the directory. */
export interface Placed {
  found: FoundTask;
  names: readonly string[];
}

/** Of an id in several roots, the task that was launched last comes first; the others are not read. */
export async function newestFirst(tasks: readonly FoundTask[], gatherer: TaskGatherer): Promise<FoundTask[]> {
  const counts = new Map<string, number>();
  for (const { task_id } of tasks) counts.set(task_id, (counts.get(task_id) ?? 0) + 1);
  const launched = new Map<FoundTask, number>();
  for (const found of tasks) {
    if (counts.get(found.task_id) === 1) continue;
    launched.set(found, Number((await gatherer.source(found).read()).launch_time_ms ?? 0));
  }
  return tasks.toSorted((a, b) => (launched.get(b) ?? 0) - (launched.get(a) ?? 0));
}

/** The first task of an id is where links to this id lead; the others are below it, by their roots. Pure. */
export function placesOf(tasks: readonly FoundTask[]): Placed[] {
  const known = new Set<string>();
  return tasks.map((found) => {
    const { task_id, root } = found;
    const names = [TASK_PAGES, task_id];
    if (known.has(task_id)) {
      names.push(`root-${createHash('sha256').update(root.path).digest('hex').slice(0, 12)}`);
    }
    known.add(task_id);
    return { found, names };
  });
}

/** Writes pages one by one, and remembers what the list of them shows. */
export class ReportWriter {
  readonly #options: Omit<ReportOptions, 'words'>;
  readonly #ports: Omit<ReportPorts, 'gatherer' | 'progress'>;
  readonly #tree: OutputTree;
  readonly #refresh: number | undefined;
  readonly #listed = new Map<string, ListedTask>();
  readonly #pages = new Map<string, WrittenPage>();

  /** `follows`: the pages are written again when something changes. Throws SystemError `report-unwritable`. */
  constructor(
    options: Omit<ReportOptions, 'words'>,
    ports: Omit<ReportPorts, 'gatherer' | 'progress'>,
    { follows = false } = {},
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#refresh = follows ? REFRESH_S : undefined;
    try {
      this.#tree = OutputTree.open(options.directory);
    } catch (error) {
      throw unwritable(options.directory, error);
    }
  }

  get pages(): readonly WrittenPage[] {
    return [...this.#pages.values()];
  }

  /** Those at these places. */
  pagesAt(places: readonly string[]): WrittenPage[] {
    return places.map((place) => this.#pages.get(place)).filter((page) => page !== undefined);
  }

  /** Writes the files of one task. Resolves to its problems. Rejects with SystemError if nothing more can be written. */
  async write(view: TaskView, names: readonly string[]): Promise<Problem[]> {
    const { task_id } = view;
    if (!names.every(isName)) return [unsafe(task_id)];
    const history = this.#ports.usage?.of(view);
    const report = await this.#reportOf(view, history);
    const { task } = report;
    // What is over does not change.
    const refresh = view.phase === 'active' ? this.#refresh : undefined;
    const html = this.#ports.pages.taskPage(report, { refresh });
    const problems = [...task.problems];
    try {
      // The page last: who sees that it is new finds the others beside it.
      this.#tree.write(names, REPORT_FILES.text, reportText(report));
      this.#tree.write(names, REPORT_FILES.script, reportScript(report));
      if (this.#options.trace) {
        const { text, leftOut } = taskTrace(report);
        if (leftOut > 0) problems.push(absurdTimes(task_id, leftOut));
        this.#tree.write(names, REPORT_FILES.trace, text);
      }
      const path = this.#tree.write(names, REPORT_FILES.page, html);
      const bytes = Buffer.byteLength(html);
      const resources_seen = history && encodeResourcesSeen(history);
      this.#pages.set(names.join('/'), { task_id, root: task.root, path, bytes, resources_seen });
      const href = `${names.map(encodeURIComponent).join('/')}/${REPORT_FILES.page}`;
      this.#listed.set(names.join('/'), listedTask(task, href, report.failing?.process));
    } catch (error) {
      if (!isOfOneTask(error)) throw unwritable(`${this.#tree.path}/${names.join('/')}`, error);
      problems.push({
        code: 'report-unwritable',
        severity: 'error',
        message: `the page of ${task_id} is not written: ${reasonOf(error)}`,
        task_id,
      });
    }
    return problems;
  }

  /** Forgets the tasks whose pages are not at one of these places. */
  keep(places: ReadonlySet<string>): void {
    for (const place of this.#listed.keys()) {
      if (places.has(place)) continue;
      this.#listed.delete(place);
      this.#pages.delete(place);
    }
  }

  /** Writes the list of the tasks. Returns its path. Throws SystemError. */
  writeList(problems: readonly Problem[]): string {
    const { now, madeBy, hostname, pages } = this.#ports;
    const list: TaskList = {
      made_ms: now(),
      made_by: madeBy,
      hostname,
      tasks: inOrder([...this.#listed.values()]),
      problems: problems.map(({ severity, message }) => `${severity}: ${message}`),
    };
    try {
      return this.#tree.write([], REPORT_FILES.page, pages.listPage(list, { refresh: this.#refresh }));
    } catch (error) {
      throw unwritable(`${this.#tree.path}/${REPORT_FILES.page}`, error);
    }
  }

  close(): void {
    this.#tree.close();
  }

  #reportOf(view: TaskView, history: TaskHistory | undefined): Promise<TaskReport> {
    const { logsOf, now, madeBy } = this.#ports;
    const { links, logBytes } = this.#options;
    return taskReport(view, logsOf(view), { now: now(), madeBy, logBytes, links, history });
  }
}

function unsafe(task_id: string): Problem {
  return {
    code: 'report-unwritable',
    severity: 'error',
    message: `the id ${JSON.stringify(task_id)} cannot be the name of a directory: the task has no page`,
    task_id,
  };
}

function absurdTimes(task_id: string, count: number): Problem {
  return {
    code: 'report-times-left-out',
    severity: 'warning',
    message: `the trace of ${task_id} leaves out ${count} of its runs: their times cannot be true`,
    task_id,
  };
}

/** Something of this name is in the way, or belongs to somebody else: the pages of other tasks can be written. */
function isOfOneTask(error: unknown): boolean {
  return error instanceof RefusedError || isDenied(error) || IN_THE_WAY.includes(errnoOf(error));
}

const IN_THE_WAY: readonly unknown[] = ['EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'];

function reasonOf(error: unknown): string {
  return error instanceof RefusedError ? error.message : describeErrno(error);
}

function unwritable(path: string, error: unknown): SystemError {
  const hint = isShortage(error)
    ? shortageRemedy(error)
    : 'name a directory that you may write to with --out';
  return new SystemError('report-unwritable', `cannot write ${path}: ${reasonOf(error)}`, hint, error);
}
