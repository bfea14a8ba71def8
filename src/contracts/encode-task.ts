/** Encodes a task as its `--json` document. No zod here: commands load this. */
import type { CriticalPath } from '../task/critical-path.js';
import { predecessors } from '../task/ordering.js';
import { isTooDeep } from '../task/task-file.js';
import type { TaskView } from '../task/view.js';
import type { TaskUse } from '../top/task-use.js';
import {
  encodeHeader,
  encodeHistory,
  encodeInteger,
  encodeLeftOut,
  encodePorts,
  encodeSeconds,
  encodeTaskStatus,
} from './encode.js';
import type { InspectDocument, LogDocument, ProcessDocument, TaskDocument, UsageDocument } from './task.js';

export function encodeTask(view: TaskView): TaskDocument {
  const { sandbox, log_dir, ports, runner } = view;
  return {
    task_id: view.task_id,
    root: view.root.path,
    layout: view.layout,
    phase: view.phase,
    state: view.state,
    verdict: view.verdict,
    state_timestamp_ms: encodeInteger(view.state_timestamp_ms),
    launch_time_ms: encodeInteger(view.launch_time_ms),
    name: view.name,
    user: view.user,
    uid: view.uid,
    hostname: view.hostname,
    owner: view.owner,
    sandbox: sandbox?.path,
    recorded_sandbox: elsewhere(sandbox),
    log_dir: log_dir?.path,
    recorded_log_dir: elsewhere(log_dir),
    ports: ports && encodePorts(ports),
    runner,
    processes: view.processes.map(encodeProcess),
    mesos: view.mesos,
    agent: view.root.agent,
    problems: view.problems,
  };
}

function elsewhere(place: TaskView['sandbox']): string | undefined {
  return place === undefined || place.path === place.recorded ? undefined : place.recorded;
}

function encodeProcess(process: TaskView['processes'][number]): ProcessDocument {
  return {
    process: process.process,
    state: process.state,
    runs: process.runs,
    failures: process.failures,
    pid: process.pid,
    coordinator_pid: process.coordinator_pid,
    return_code: process.return_code,
    start_time: encodeSeconds(process.start_time),
    stop_time: encodeSeconds(process.stop_time),
    max_failures: process.max_failures,
    cmdline: process.cmdline,
  };
}

export function encodeInspect(
  view: TaskView,
  logs: LogDocument[],
  why: string[],
  criticalPath?: CriticalPath,
  use?: TaskUse,
): InspectDocument {
  const { config } = view;
  return {
    ...encodeTask(view),
    header: view.header && encodeHeader(view.header),
    statuses: view.statuses.map(encodeTaskStatus),
    history: encodeHistory([...view.history].map(([name, { runs }]) => [name, runs] as const)),
    left_out: encodeLeftOut(view.history, view.statuses_left_out, view.records_left_out),
    task: config === undefined || isTooDeep(config.raw) ? null : config.raw,
    ordering: config === undefined ? [] : predecessors(config),
    resources: config?.resources ?? null,
    usage: use && encodeUse(use),
    logs,
    reasons: view.reasons.length === 0 ? undefined : [...view.reasons],
    why,
    critical_path: criticalPath && { ...criticalPath, steps: [...criticalPath.steps] },
  };
}

function encodeUse(use: TaskUse): UsageDocument {
  const { asked, disk, limits } = use;
  return {
    cpu_average: rounded(use.cpuAverage),
    cpu_asked: asked.cpu,
    rss_bytes: use.rssBytes,
    ram_asked_bytes: asked.ram,
    threads: use.threads,
    pids: use.pids,
    disk_bytes: disk?.bytes,
    disk_at_least: disk?.atLeast,
    disk_asked_bytes: asked.disk,
    throttled_ratio: rounded(use.throttledShare),
    oom_kills: use.oomKills,
    cpu_limit: limits?.cpu,
    ram_limit_bytes: limits?.memoryBytes,
    pids_count: use.pidsCount,
    pids_limit: limits?.pids,
  };
}

/** The kernel counts in hundredths of a second. */
function rounded(number: number | undefined): number | undefined {
  return number === undefined ? undefined : Number(number.toFixed(4));
}
