import type { ResourcesSeenDocument } from '../contracts/report.js';
import type { InspectDocument } from '../contracts/task.js';
import type { Excerpt } from '../logs/excerpt.js';

/**
 * Everything that the page of a task shows, as plain JSON: it is made on the task's host, or by the viewer in a browser.
 * All strings are as they were read: escape them before they are shown.
 */
export interface TaskReport {
  /** When it was made, milliseconds since the epoch; ages are counted up to it. */
  made_ms: number;
  /** What made it: `thermos 1.0.0`. */
  made_by: string;
  /** The document of `inspect --json`. */
  task: InspectDocument;
  /** The run to look at first: the last one of the process that failed first. */
  failing?: { process: string; run: number };
  /** Of the logs that were read, in the order of `task.logs`; none for a log that was not. */
  excerpts: readonly Excerpt[];
  /** What a record of `top` has about it. */
  resources_seen?: ResourcesSeen;
  /** Where a person may go on; only what is known. */
  links?: ReportLinks;
}

/** Absolute http(s) addresses. */
export interface ReportLinks {
  /** Of a sandbox in the master's own pages. */
  browse?: string;
  /** By path of a log: its download from the agent. */
  downloads?: Readonly<Record<string, string>>;
}

export interface ResourcesSeen extends ResourcesSeenDocument {
  course: Course;
  /** Those of `processes`, in their order. */
  courses: readonly Course[];
  /** How many samples are of other processes. */
  left_out?: number;
}

/** What was used as time went on: the most in each span of time. */
export interface Course {
  /** A gap that is shorter may not be among the points. */
  step_ms: number;
  points: readonly CoursePoint[];
}

/** From when to when, in milliseconds since the epoch; cores, resident bytes and bytes on disk; null: not known. */
export type CoursePoint = readonly [
  from: number,
  to: number,
  cpu: number | null,
  rss: number | null,
  disk: number | null,
];
