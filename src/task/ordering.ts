import type { TaskConfig } from './task-file.js';

/** What a process waits for. */
export interface Predecessors {
  process: string;
  after: string[];
}

/**
 * Each process of the task with those that must finish before it may start, both in the order of the task file.
 * Names in a constraint that no process has are left out: the original's planner refuses such a
 * task before it runs.
 */
export function predecessors(config: TaskConfig): Predecessors[] {
  const after = new Map<string, Set<string>>(config.processes.map(({ name }) => [name, new Set()]));
  for (const order of config.orders) {
    for (let i = 1; i < order.length; i++) {
      const before = order[i - 1] as string;
      if (after.has(before)) after.get(order[i] as string)?.add(before);
    }
  }
  const index = new Map([...after.keys()].map((name, i) => [name, i]));
  const inOrder = (a: string, b: string) => (index.get(a) as number) - (index.get(b) as number);
  return [...after].map(([process, before]) => ({ process, after: [...before].sort(inOrder) }));
}

/** A process in the tree of the ordering, one level deeper than the process it is drawn under. */
export interface OrderingLine {
  process: string;
  depth: number;
  /** The other predecessors, besides the one it is drawn under. */
  also: string[];
}

/**
 * The ordering as the lines of a tree, top down: each process once, under the predecessor that was drawn last,
 * with the others in `also`. Cycles (which no runner accepts) are drawn at the top level. Pure, and
 * linear in the number of constraints apart from sorting.
 */
export function drawOrdering(config: TaskConfig): OrderingLine[] {
  const all = predecessors(config);
  const waits = new Map(all.map(({ process, after }) => [process, after]));
  const children = new Map<string, string[]>();
  for (const { process, after } of all) {
    for (const before of after) {
      const list = children.get(before);
      if (list === undefined) children.set(before, [process]);
      else list.push(process);
    }
  }
  const lines: OrderingLine[] = [];
  const drawn = new Set<string>();
  const undrawn = new Map(all.map(({ process, after }) => [process, after.length]));
  const draw = (root: string, under: string | undefined, depth: number): void => {
    const stack = [{ process: root, under, depth }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { process, under: parent, depth: level } = next;
      if (drawn.has(process)) continue;
      drawn.add(process);
      lines.push({
        process,
        depth: level,
        also: (waits.get(process) ?? []).filter((name) => name !== parent),
      });
      const ready: string[] = [];
      for (const child of children.get(process) ?? []) {
        const left = (undrawn.get(child) as number) - 1;
        undrawn.set(child, left);
        if (left === 0) ready.push(child);
      }
      for (const child of ready.reverse()) stack.push({ process: child, under: process, depth: level + 1 });
    }
  };
  for (const { process, after } of all) if (after.length === 0) draw(process, undefined, 0);
  for (const { process } of all) draw(process, undefined, 0);
  return lines;
}
