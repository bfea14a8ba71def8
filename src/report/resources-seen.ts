import { encodeResourcesSeen } from '../contracts/encode-report.js';
import type { TaskHistory, UsageSummary } from '../top/usage-history.js';
import type { Course, CoursePoint, ResourcesSeen } from './model.js';

/** What a record has about a task, as the data of its page. Pure. */
export function resourcesSeen(history: TaskHistory): ResourcesSeen {
  return {
    ...encodeResourcesSeen(history),
    course: courseOf(history),
    courses: history.processes.map(courseOf),
    left_out: history.left === 0 ? undefined : history.left,
  };
}

function courseOf({ points, stepMs }: UsageSummary): Course {
  return {
    step_ms: stepMs,
    points: points.map(
      ({ fromMs, toMs, cpu, rssBytes, diskBytes }): CoursePoint => [
        Math.round(fromMs),
        Math.round(toMs),
        cpu ?? null,
        rssBytes ?? null,
        diskBytes ?? null,
      ],
    ),
  };
}
