import type { ResourcesSeen } from '../../src/report/model.js';
import { resourcesSeen } from '../../src/report/resources-seen.js';
import { UsageHistory } from '../../src/top/usage-history.js';

const TASK = { task_id: 't', root: '/r' };
const SECOND = 1000;

/** What a record of an hour with a gap tells of these processes: a sample a minute, from a time on. */
export function seenBy(names: readonly string[], fromMs: number): ResourcesSeen {
  const history = new UsageHistory();
  const asked = { cpu: 1, ram: 64 * 2 ** 20, disk: 2 ** 30 };
  for (let i = 1; i <= 60; i++) {
    if (i > 30 && i <= 40) continue;
    const cpu = 1 + Math.sin(i / 3);
    const processes = names.map((process) => ({ process, cpu: cpu / names.length, rssBytes: 2 ** 20 * i }));
    const task = { ...TASK, asked, cpu, rssBytes: 2 ** 20 * i, diskBytes: 2 ** 20, processes };
    const timeMs = fromMs + i * 60 * SECOND;
    history.add({ timeMs, intervalMs: 60 * SECOND, tasks: [task] }, timeMs);
  }
  const found = history.of(TASK);
  if (found === undefined) throw new Error('nothing was seen');
  return resourcesSeen(found);
}
