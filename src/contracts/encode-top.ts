/** Encodes a sample as its `--json` document. No zod here: commands load this. */
import type { Problem } from '../errors/problem.js';
import type { Sample, TaskSample, Usage } from '../top/model.js';
import type { TopDocument } from './top.js';

type TopTaskDocument = TopDocument['tasks'][number];

/** `pss`: the proportional set sizes were read. */
export function encodeTop(sample: Sample, problems: readonly Problem[], pss: boolean): TopDocument {
  return {
    time_ms: sample.timeMs,
    interval_ms: rounded(sample.intervalMs, 3),
    tasks: sample.tasks.map((task) => encodeTask(task, pss)),
    problems: [...problems],
  };
}

function encodeTask(sample: TaskSample, pss: boolean): TopTaskDocument {
  const { task, disk, throttledMs, oomKills, limits, pressure, processes } = sample;
  const { asked, task_id, root, launchTimeMs, agent } = task;
  return {
    task_id,
    root,
    launch_time_ms: launchTimeMs,
    cpu: cores(sample),
    cpu_asked: asked.cpu,
    rss_bytes: sample.rssBytes ?? null,
    ram_asked_bytes: asked.ram,
    threads: sample.threads ?? null,
    pids: sample.pids ?? null,
    ...optional(sample, pss),
    disk_bytes: disk?.bytes,
    disk_asked_bytes: asked.disk,
    disk_as_of_ms: disk?.asOfMs,
    throttled_ms: throttledMs === undefined ? undefined : rounded(throttledMs, 3),
    oom_kills: oomKills,
    cpu_limit: limits?.cpu,
    ram_limit_bytes: limits?.memoryBytes,
    pids_count: sample.pidsCount,
    pids_limit: limits?.pids,
    disk_limit_bytes: limits?.diskBytes,
    agent,
    pressure,
    processes: processes.map((process) => ({
      process: process.process,
      run: process.run,
      pid: process.pid,
      cpu: cores(process),
      rss_bytes: process.rssBytes ?? null,
      threads: process.threads ?? null,
      pids: process.pids ?? null,
      ...optional(process, pss),
    })),
  };
}

function cores({ cpu }: Usage): number | null {
  return cpu === undefined ? null : rounded(cpu, 4);
}

function optional({ fds, pssBytes, readBytes, writtenBytes }: Usage, pss: boolean) {
  return {
    fds,
    pss_bytes: pss ? pssBytes : undefined,
    read_bytes: readBytes,
    written_bytes: writtenBytes,
  };
}

function rounded(number: number, decimals: number): number {
  return Number(number.toFixed(decimals));
}
