import type { TaskView } from '../../src/task/view.js';
import type { ProcessSample, SampledTask, TaskSample } from '../../src/top/model.js';
import type { Sampled } from '../../src/views/top.js';
import { taskView } from './task-views.js';

export interface SampleParts extends Partial<Omit<TaskSample, 'task' | 'processes'>> {
  readonly view?: TaskView;
  readonly asked?: SampledTask['asked'];
  readonly processes?: readonly ProcessSample[];
}

/** A sample over two seconds, of one task for each of the parts. */
export function sampled(...parts: readonly SampleParts[]): Sampled {
  const views = parts.map(({ view }, i) => view ?? taskView({ task_id: `task-${i}` }));
  const tasks = parts.map(({ view: _, asked = {}, processes = [], ...usage }, i): TaskSample => {
    const { task_id, root } = views[i] as TaskView;
    const task = {
      key: task_id,
      task_id,
      root: root.path,
      asked,
      runs: [],
      isForeign: false,
      isHidden: false,
    };
    return { task, processes, ...usage };
  });
  return { views, sample: { timeMs: 0, intervalMs: 2000, tasks } };
}
