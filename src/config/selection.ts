import { nearest } from '../text/near.js';
import { limited, listed } from './limits.js';

/** Which processes of a task to run: those that are named, or one and what depends on it. */
export interface ProcessSelection {
  readonly kind: 'only' | 'from';
  /** As they were given: names, or several with commas between. */
  readonly words: readonly string[];
}

/** What choosing needs of a task. Its plans have no faults. */
export interface SelectableTask {
  readonly processes: readonly { readonly name: string; readonly final: boolean }[];
  readonly orders: readonly (readonly string[])[];
}

/** What stays of one constraint: the places of the names that stay, in their order. */
export interface ReducedOrder {
  /** The place of the constraint in the task. */
  readonly order: number;
  readonly places: readonly number[];
}

export interface SelectedProcesses {
  readonly names: ReadonlySet<string>;
  readonly orders: readonly ReducedOrder[];
  /** Constraints that replace a way through processes that are left out: the first before the second. */
  readonly bridges: readonly (readonly [string, string])[];
}

/**
 * The chosen processes, and the constraints among them. `only`: those that are named. `from`: those and all that wait for
 * them; if one is not final, all final processes too, because these run after all others.
 *
 * One of them waits for another if it did in the whole task, also through processes that are left out. A constraint whose
 * names all stay is unchanged. If the task's plans have no faults, those of the result have none. `unknown`: words that
 * name no process; then nothing is chosen. Throws LimitError if there would be too many constraints. Pure.
 */
export function selectProcesses(
  task: SelectableTask,
  selection: ProcessSelection,
): SelectedProcesses | { unknown: string[] } {
  const names = chosenNames(task, selection);
  if ('unknown' in names) return names;
  const { orders } = task;
  const reduced: ReducedOrder[] = [];
  const direct = new Map<string, Set<string>>();
  for (const [order, all] of orders.entries()) {
    const places = [...all.keys()].filter((place) => names.has(all[place] as string));
    if (places.length === 0 || (places.length === 1 && all.length > 1)) continue;
    reduced.push({ order, places });
    for (const [i, place] of places.slice(1).entries()) {
      setAt(direct, all[place] as string).add(all[places[i] as number] as string);
    }
  }
  return { names, orders: reduced, bridges: bridgesAmong(orders, names, direct) };
}

function chosenNames(
  { processes, orders }: SelectableTask,
  { kind, words }: ProcessSelection,
): Set<string> | { unknown: string[] } {
  const known = new Set(processes.map(({ name }) => name));
  // A name may have a comma in it.
  const given = words.flatMap((word) => (known.has(word) ? [word] : word.split(',')));
  const unknown = [...new Set(given.filter((name) => !known.has(name)))];
  if (unknown.length > 0) return { unknown };
  const names = new Set(given);
  if (kind === 'only') return names;
  if (processes.some(({ name, final }) => !final && names.has(name))) {
    for (const { name, final } of processes) if (final) names.add(name);
  }
  const { after } = edgesOf(orders);
  // The set grows while it is walked.
  for (const name of names) for (const next of after.get(name) ?? []) names.add(next);
  return names;
}

/** The message and the hint for words that name no process of a task; `whose`: the path of its config, for example. */
export function unknownProcesses(
  whose: string,
  unknown: readonly string[],
  { processes }: SelectableTask,
): { message: string; hint: string } {
  const known = [...new Set(processes.map(({ name }) => name))];
  const near = unknown.flatMap((word) => nearest(word, known).slice(0, 1));
  return {
    message: `${whose} has no process ${unknown.map((name) => `'${name}'`).join(', ')}`,
    hint:
      near.length > 0
        ? `did you mean ${[...new Set(near)].map((name) => `'${name}'`).join(' or ')}?`
        : `it has ${listed(known)}`,
  };
}

/** A task as it is in a task file, with nothing but the chosen processes and the constraints among them. Pure. */
export function selectedDocument<Document extends Readonly<Record<string, unknown>>>(
  document: Document,
  orders: SelectableTask['orders'],
  selected: SelectedProcesses,
): Document {
  const processes = document.processes as readonly { readonly name: string }[];
  return {
    ...document,
    processes: processes.filter(({ name }) => selected.names.has(name)),
    constraints: [
      ...selected.orders.map(({ order, places }) => places.map((place) => orders[order]?.[place])),
      ...selected.bridges,
    ].map((order) => ({ order })),
  };
}

/** The ways between chosen processes through others alone, beside those in `direct`. */
function bridgesAmong(
  orders: SelectableTask['orders'],
  names: ReadonlySet<string>,
  direct: ReadonlyMap<string, ReadonlySet<string>>,
): [string, string][] {
  const { before, after } = edgesOf(orders);
  // Only what is after a chosen process can be between two of them.
  const between = new Set<string>();
  const add = (name: string) => {
    for (const next of after.get(name) ?? []) if (!names.has(next)) between.add(next);
  };
  for (const name of names) add(name);
  for (const name of between) add(name);

  const bridges: [string, string][] = [];
  let visits = 0;
  for (const name of names) {
    const seen = new Set([...(before.get(name) ?? [])].filter((each) => between.has(each)));
    const first = new Set<string>();
    for (const each of seen) {
      for (const earlier of before.get(each) ?? []) {
        limited('visits', ++visits);
        if (names.has(earlier)) first.add(earlier);
        else if (between.has(earlier)) seen.add(earlier);
      }
    }
    for (const each of first) if (!direct.get(name)?.has(each)) bridges.push([each, name]);
    limited('constraints', bridges.length);
  }
  return bridges;
}

/** Which names are directly before and after each. */
function edgesOf(orders: SelectableTask['orders']): Record<'before' | 'after', Map<string, Set<string>>> {
  const before = new Map<string, Set<string>>();
  const after = new Map<string, Set<string>>();
  for (const order of orders) {
    for (const [i, name] of order.slice(1).entries()) {
      const earlier = order[i] as string;
      setAt(before, name).add(earlier);
      setAt(after, earlier).add(name);
    }
  }
  return { before, after };
}

function setAt(map: Map<string, Set<string>>, name: string): Set<string> {
  const set = map.get(name) ?? new Set<string>();
  map.set(name, set);
  return set;
}
