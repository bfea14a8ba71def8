import type { ProcessState } from '../checkpoint/records.js';
import { type Constrained, orderedPairs } from './ordering.js';
import type { ProcessConfig, TaskConfig } from './task-file.js';
import type { TaskView } from './view.js';

/** The languages that a graph is written in. */
export const GRAPH_FORMATS = ['text', 'mermaid', 'dot'] as const;
export type GraphFormat = (typeof GRAPH_FORMATS)[number];

/** What sets a process apart from the others of its task. */
export type NodeKind = 'final' | 'daemon' | 'ephemeral' | 'missing';

export interface GraphNode {
  process: string;
  /** Of its latest run; undefined if nothing ran. */
  state?: ProcessState | number;
  /** `missing`: constraints name it, and no process has the name. */
  kinds: readonly NodeKind[];
}

/** The processes of a task and what they wait for. Names are as they were read. */
export interface TaskGraph {
  name: string;
  /** Each name once: as in the task file, then those that only ran, then the missing ones. */
  nodes: readonly GraphNode[];
  /** Which process must succeed before which may start, as indexes of nodes, each pair once. */
  edges: readonly (readonly [before: number, after: number])[];
  /** The constraints that the edges come from. */
  orders: Constrained['orders'];
}

/** The graph of a task on disk, with the states of its processes. Without a task file, it has no edges. Pure. */
export function graphOfTask({ task_id, config, processes }: TaskView): TaskGraph {
  const states = new Map(processes.map(({ process, state }) => [process, state]));
  return graphOf(task_id, config?.processes ?? [], config?.orders ?? [], states);
}

/** The graph of a task that has not run. Pure. */
export function graphOfConfig(config: TaskConfig): TaskGraph {
  return graphOf(config.name ?? '', config.processes, config.orders, new Map());
}

function graphOf(
  name: string,
  processes: readonly ProcessConfig[],
  orders: Constrained['orders'],
  states: ReadonlyMap<string, ProcessState | number>,
): TaskGraph {
  const nodes: GraphNode[] = [];
  const index = new Map<string, number>();
  const add = (process: string, kinds: readonly NodeKind[]) => {
    if (index.has(process)) return;
    index.set(process, nodes.length);
    nodes.push({ process, state: states.get(process), kinds });
  };
  for (const process of processes) add(process.name, kindsOf(process));
  for (const process of states.keys()) add(process, []);
  for (const process of orders.flat()) add(process, ['missing']);
  const edges = orderedPairs(orders).map(
    ([before, after]) => [index.get(before) as number, index.get(after) as number] as const,
  );
  return { name, nodes, edges, orders };
}

/** Pure. */
export function kindsOf({ final, daemon, ephemeral }: ProcessConfig): NodeKind[] {
  return [
    ...(final ? (['final'] as const) : []),
    ...(daemon ? (['daemon'] as const) : []),
    ...(ephemeral ? (['ephemeral'] as const) : []),
  ];
}
