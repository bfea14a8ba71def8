import type { Problem } from '../errors/problem.js';
import { listed } from './limits.js';
import type { StructNode } from './model.js';
import { type ConfigPlace, partsOf } from './places.js';
import { escaped, problemAt } from './problems.js';
import { pythonText } from './python-text.js';
import type { Schema } from './schema.js';
import { escapesIn, itemsOf, portsOf, rawOf, taskPlan } from './validate.js';

/**
 * Warnings: what a runner would accept, but is probably not intended. The task is bound and typechecked; `ports` are
 * those given for the run, `errors` the errors found in it.
 */
export function lint(
  schema: Schema,
  task: StructNode,
  ports: Iterable<string>,
  errors: readonly Problem[],
): Problem[] {
  if (task.type !== schema.task) return [];
  const whole: ConfigPlace = { field: '', origin: task.origin };
  return [
    ...duplicates(task),
    ...unknownConstraints(task),
    ...replacedEscapes(task, errors),
    ...unusedPorts(task, ports, whole),
  ];
}

function duplicates(task: StructNode): Problem[] {
  const seen = new Set<string>();
  return (itemsOf(task, 'processes') ?? []).flatMap((process) => {
    const name = pythonText(rawOf(process, 'name') ?? null);
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const place = { process: () => name, field: 'name', origin: process.origin ?? task.origin };
    const message = 'another process has this name too; only the last one runs';
    return [problemAt(place, 'process-duplicate', 'warning', message)];
  });
}

/** The original does not report a constraint that names no process at all. */
function unknownConstraints(task: StructNode): Problem[] {
  const { processes, orders } = taskPlan(task);
  const names = new Set(processes.map(({ name }) => name));
  return orders.flatMap((order, i) => {
    if (order.length === 0 || order.some((name) => names.has(name))) return [];
    const place = { field: `constraints[${i}].order`, origin: task.origin };
    const message = `the order ${listed(order)} names no process of the task, so it orders nothing`;
    const hint =
      'the order of a SequentialTask is fixed when it is created: replacing its processes does not change it';
    return [problemAt(place, 'constraint-unknown', 'warning', message, hint)];
  });
}

/** An escape that is not repeated often enough has become a ref when the command runs, and something is bound to it. */
function replacedEscapes(task: StructNode, errors: readonly Problem[]): Problem[] {
  if (errors.some(({ code }) => code === 'escape-lost')) return [];
  return [...partsOf(task)].flatMap((part) => {
    if ('type' in part || part.node.kind !== 'simple' || typeof part.node.raw !== 'string') return [];
    return [...escapesIn(part.node.raw)].map(([tag, written]) =>
      problemAt(
        part.place,
        'escape-lost',
        'warning',
        `the escaped ${written} becomes ${tag} before the command runs`,
        `to pass ${tag} to the command unchanged, write ${escaped(tag.slice(2, -2))}`,
      ),
    );
  });
}

function unusedPorts(task: StructNode, ports: Iterable<string>, place: ConfigPlace): Problem[] {
  const needed = new Set(portsOf(task));
  const unused = [...ports].filter((name) => !needed.has(name) && !isMentioned(name, task));
  return unused.map((name) => problemAt(place, 'port-unused', 'warning', `no process uses the port ${name}`));
}

/** A port that the config binds is not needed, and may be given all the same. */
function isMentioned(port: string, task: StructNode): boolean {
  const address = `thermos.ports[${port}]`;
  return [...partsOf(task)].some((part) => {
    const raw = 'node' in part && part.node.kind === 'simple' ? part.node.raw : undefined;
    return typeof raw === 'string' && raw.includes(address);
  });
}
