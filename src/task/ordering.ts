/** The names of processes, and the `order` lists of the constraints between them. */
export interface Constrained {
  readonly processes: readonly { readonly name: string }[];
  readonly orders: readonly (readonly string[])[];
}

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
export function predecessors(config: Constrained): Predecessors[] {
  const after = new Map<string, Set<string>>(config.processes.map(({ name }) => [name, new Set()]));
  for (const [before, process] of orderedPairs(config.orders)) {
    if (after.has(before)) after.get(process)?.add(before);
  }
  const index = new Map([...after.keys()].map((name, i) => [name, i]));
  const inOrder = (a: string, b: string) => (index.get(a) as number) - (index.get(b) as number);
  return [...after].map(([process, before]) => ({ process, after: [...before].sort(inOrder) }));
}

/** The names that follow each other in a constraint, each pair once, in the order of the constraints. Pure. */
export function orderedPairs(orders: Constrained['orders']): [before: string, after: string][] {
  const followers = new Map<string, Set<string>>();
  const pairs: [string, string][] = [];
  for (const order of orders) {
    for (let i = 1; i < order.length; i++) {
      const [before, after] = [order[i - 1] as string, order[i] as string];
      const known = followers.get(before) ?? new Set();
      if (known.has(after)) continue;
      followers.set(before, known.add(after));
      pairs.push([before, after]);
    }
  }
  return pairs;
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
export function drawOrdering(config: Constrained): OrderingLine[] {
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
