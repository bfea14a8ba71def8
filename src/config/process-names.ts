/** `Process(name = 'web'`, as configs in Python write it. */
const PROCESS = /\bProcess\s*\(\s*name\s*=\s*(?:'([^'\\\n]+)'|"([^"\\\n]+)")/g;

/**
 * The names of processes that a config plainly states, without evaluating it: those of a task in JSON, and those that
 * are written out in Python. Pure.
 */
export function statedProcesses(source: string): string[] {
  if (/^\s*\{/.test(source)) return namesInTask(source);
  return Array.from(source.matchAll(PROCESS), ([, single, double]) => single ?? (double as string));
}

function namesInTask(json: string): string[] {
  let task: { processes?: unknown };
  try {
    task = JSON.parse(json);
  } catch {
    return [];
  }
  const { processes } = task;
  if (!Array.isArray(processes)) return [];
  return processes.map((process) => process?.name).filter((name) => typeof name === 'string');
}
