import { join } from 'node:path';
import type { FoundTask } from '../../src/discovery/found.js';
import { type ApplyEffects, apply, type TaskOutcome } from '../../src/gc/apply.js';
import { Claims } from '../../src/gc/claims.js';
import type { Machine } from '../../src/gc/machine.js';
import { type GcPlan, makePlan, type PlanOptions } from '../../src/gc/plan.js';
import { EFFECTS } from '../../src/gc/remove.js';
import { DirectoryUsage } from '../../src/gc/usage.js';
import type { DirectoryUser } from '../../src/host/directory-users.js';
import { Host } from '../../src/host/host.js';
import { foundTask, type MadeUpProc, makeProc } from '../task/trees.js';

export interface MadeUpMachine extends Partial<Omit<Machine, 'host' | 'usage'>> {
  proc?: MadeUpProc;
  users?: () => DirectoryUser[];
}

/** A machine with a made-up /proc below a directory, on which nobody uses anything. */
export function machineIn(directory: string, made: MadeUpMachine = {}): Machine {
  const { proc = { locks: '' }, users = () => [], ...given } = made;
  return {
    host: Host.local({ proc: makeProc(join(directory, 'proc'), proc) }),
    usage: new DirectoryUsage(users),
    now: Date.now(),
    protectedPaths: { homes: [], mountPoints: [], roots: [] },
    knownRoots: [],
    bootId: undefined,
    forecast: () => undefined,
    claims: new Claims(),
    newcomer: () => undefined,
    ...given,
  };
}

export const OPTIONS: PlanOptions = {
  kinds: { metadata: true, logs: true, data: undefined },
  limits: {},
  orphanAge: 3_600_000,
  includeMesos: false,
  confirmed: new Set(),
  words: { duration: (ms) => `${ms}ms`, size: (bytes) => `${bytes}B`, timestamp: (ms) => `@${ms}` },
};

export const finished = (root: string, id: string): FoundTask => foundTask(root, id, 'finished');

/** A plan for all of these tasks. */
export function planOf(
  tasks: readonly FoundTask[],
  machine: Machine,
  options: Partial<PlanOptions> = {},
): GcPlan {
  return makePlan(tasks, new Set(tasks), machine, { ...OPTIONS, ...options });
}

/** Carries a plan out. */
export function carriedOut(plan: GcPlan, effects: Partial<ApplyEffects> = {}): TaskOutcome[] {
  return [...apply(plan, { ...EFFECTS, clock: Date.now, ...effects }, new Set())];
}

/** `KIND VERDICT` of what is planned for each task, by its id. */
export function planned({ tasks }: GcPlan): Record<string, string[]> {
  return Object.fromEntries(
    tasks.map(({ task_id, actions }) => [task_id, actions.map(({ kind, verdict }) => `${kind} ${verdict}`)]),
  );
}

/** `KIND RESULT: WHY` of what became of a task. */
export function results({ actions }: TaskOutcome): string[] {
  return actions.map(({ kind, result, why }) => `${kind} ${result}${why === undefined ? '' : `: ${why}`}`);
}
