import { localTasks } from '../app/local-tasks.js';
import { type StreamEnd, type StreamPorts, streamFound, streamTasks } from '../app/status-stream.js';
import { encodeTask } from '../contracts/encode-task.js';
import type { StatusStreamLine } from '../contracts/task.js';
import type { Problem } from '../errors/problem.js';
import { jsonText } from '../text/json.js';
import { agentsOf } from './agents.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';
import { queryOf, type StatusFlags } from './watched-tasks.js';

/** Writes the tasks as they come, a line each, and the totals in the end. Rejects as `showStatus`. */
export async function streamStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
  known: readonly Problem[],
): Promise<StreamEnd> {
  const write = (line: StatusStreamLine) => terminal.write(`${jsonText(line)}\n`);
  const ports: StreamPorts = {
    task: (view) => write({ task: encodeTask(view) }),
    problem: (problem) => write({ problem }),
  };
  const query = queryOf(words, flags, terminal);
  // What goes into a file leaves the terminal free.
  const progress = progressOn(terminal, { json: terminal.stdoutIsTerminal });
  const agents = await agentsOf(flags, terminal, words, progress);
  try {
    for (const problem of known) write({ problem });
    const end =
      agents !== undefined && words.length === 0
        ? await streamTasks(query, agents.gatherer, ports)
        : await streamFound(query, agents?.gatherer ?? localTasks(flags), ports);
    const { tasks, roots, agents: asked, problems } = end;
    write({ end: { tasks, roots, agents: asked, problems: known.length + problems.length } });
    return end;
  } finally {
    agents?.close();
  }
}
