/** Whether a task runs or is over; also the names of the directories that hold the task files. */
export const PHASES = ['active', 'finished'] as const;
export type Phase = (typeof PHASES)[number];

/** The directories of a checkpoint root. */
export const CHECKPOINTS = 'checkpoints';
export const TASKS = 'tasks';
export const SANDBOXES = 'sandboxes';

export interface RootPaths {
  readonly checkpoints: string;
  readonly tasks: string;
  readonly active: string;
  readonly finished: string;
  /** Where `run` makes sandboxes by default. */
  readonly sandboxes: string;
}

/** The directories of the checkpoint root at a path. Pure. */
export function rootPaths(root: string): RootPaths {
  return {
    checkpoints: `${root}/${CHECKPOINTS}`,
    tasks: `${root}/${TASKS}`,
    active: phasePath(root, 'active'),
    finished: phasePath(root, 'finished'),
    sandboxes: sandboxesIn(root),
  };
}

/** Where `run` makes sandboxes in a root by default. Pure. */
export function sandboxesIn(root: string): string {
  return `${root}/${SANDBOXES}`;
}

/** The directory of the task files of a phase. Pure. */
export function phasePath(root: string, phase: Phase): string {
  return `${root}/${TASKS}/${phase}`;
}
