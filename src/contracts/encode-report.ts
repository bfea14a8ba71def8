/** Encodes what a record has about a task. No zod here: commands load this. */
import type { TaskHistory, UsageSummary } from '../top/usage-history.js';
import type { ResourcesSeenDocument } from './report.js';

export function encodeResourcesSeen(history: TaskHistory): ResourcesSeenDocument {
  const { asked, diskMaxBytes, processes } = history;
  return {
    ...encodeSummary(history),
    disk_max_bytes: diskMaxBytes,
    cpu_asked: asked.cpu,
    ram_asked_bytes: asked.ram,
    disk_asked_bytes: asked.disk,
    processes: processes.map(({ process, ...summary }) => ({ process, ...encodeSummary(summary) })),
  };
}

function encodeSummary({ samples, fromMs, toMs, cpuMean, cpuMax, rssMaxBytes }: UsageSummary) {
  return {
    samples,
    from_ms: Math.round(fromMs),
    to_ms: Math.round(toMs),
    cpu_mean: cpuMean === undefined ? undefined : Number(cpuMean.toFixed(4)),
    cpu_max: cpuMax,
    rss_max_bytes: rssMaxBytes,
  };
}
