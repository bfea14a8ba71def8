import { inspectNamed } from '../app/inspect.js';
import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { DISK_BUDGETS } from '../app/task-uses.js';
import { encodeInspect } from '../contracts/encode-task.js';
import { NotFoundError, UsageError } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { localLogs } from '../logs/local-logs.js';
import { type GraphFormat, graphOfTask } from '../task/graph.js';
import type { TaskView } from '../task/view.js';
import { inspectText } from '../views/inspect.js';
import type { Style } from '../views/parts/style.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import {
  type ConfigFlags,
  hasConfigFlag,
  mayMeanConfig,
  meansConfig,
  namesFile,
  refuseConfigFlags,
} from './config-target.js';
import { drawn } from './graph.js';
import type { Terminal } from './terminal.js';
import { usesHere } from './uses.js';

export interface ShownInspection {
  document: object;
  text: (style: Style) => string;
  problems: readonly Problem[];
  exitCode?: number;
}

/** The flags of `inspect`. */
export interface InspectFlags extends RootFlags, ConfigFlags, AgentFlags {
  verbose?: boolean;
  graph?: GraphFormat;
}

/** Inspects the task or the config that the word means; see `inspectNamed` and `inspectConfig`. */
export async function inspectTarget(
  word: string | undefined,
  flags: InspectFlags,
  terminal: Terminal,
): Promise<ShownInspection> {
  if (word === undefined) {
    if (hasConfigFlag(flags)) throw new UsageError('usage', 'missing argument TARGET');
    return inspectTaskNamed(word, flags, terminal);
  }
  if (flags.agent !== undefined || flags.master !== undefined) {
    refuseConfigFlags(flags, 'there is none on agents');
    return inspectTaskNamed(word, flags, terminal);
  }
  if (!meansConfig(word, flags)) {
    try {
      return await inspectTaskNamed(word, flags, terminal, namesFile(word));
    } catch (error) {
      if (!(error instanceof NotFoundError) || !mayMeanConfig(word)) throw error;
    }
  }
  const { inspectConfig } = await import('./config.js');
  return inspectConfig(word, flags, terminal);
}

/** If several roots have the task's id, the text shows all of them and the document the one launched last. */
async function inspectTaskNamed(
  word: string | undefined,
  flags: InspectFlags,
  terminal: Terminal,
  strictly = false,
): Promise<ShownInspection> {
  const agents = await agentsOf(flags, terminal, word === undefined ? [] : [word]);
  const { gatherer, logsOf } = agents ?? { gatherer: localTasks(flags), logsOf: localLogs };
  const asked = inspectNamed(word, { gatherer, logsOf, now: terminal.now(), strictly });
  const { inspections, problems } = await asked.finally(() => agents?.close());
  const [{ view, logs, why, criticalPath }] = inspections;
  if (flags.graph !== undefined) {
    const document = encodeInspect(view, [...logs], [...why], criticalPath);
    return { document, text: await drawn(graphOfTask(view), flags.graph), problems };
  }
  const views = inspections.map((inspection) => inspection.view);
  const { uses, problems: unknown } = usesHere(views, terminal.now(), DISK_BUDGETS.inspect);
  for (const problem of unknown) view.problems.push(problem);
  const options = { verbose: flags.verbose, oneOfSeveral: inspections.length > 1 };
  const useOf = ({ found }: TaskView) => uses.get(found.checkpoint_dir);
  const text = (style: Style) =>
    inspections
      .map((inspection) => inspectText(inspection, style, { ...options, use: useOf(inspection.view) }))
      .join('\n');
  const document = encodeInspect(view, [...logs], [...why], criticalPath, useOf(view));
  return { document, text, problems: [...problems, ...unknown] };
}
