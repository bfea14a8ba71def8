/** A run that is to be replaced by the next one, as it is now. */
export interface RunSeen {
  /** `held`: stopped, so that it cannot record how the command ends. */
  readonly coordinator: 'free' | 'held' | 'gone';
  /** The coordinator has recorded the end of the run. */
  readonly isRecorded: boolean;
  readonly isCommandAlive: boolean;
  /** How many others of its processes are alive. */
  readonly others: number;
  /** How many of those have not been asked to end. */
  readonly unasked: number;
}

/** What has been done to it. Milliseconds of one clock. */
export interface ReplaceProgress {
  /** When it began. */
  readonly began: number;
  /** The coordinator was seen held. */
  readonly wasHeld: boolean;
  /** When the command was asked to end. */
  readonly asked?: number;
}

export type ReplaceStep =
  /** SIGSTOP to the coordinator. */
  | { readonly kind: 'hold' }
  /** SIGTERM to the command, or to the other processes that have not been asked. */
  | { readonly kind: 'ask'; readonly whom: 'command' | 'others' }
  /** SIGKILL to the command and to the other processes. */
  | { readonly kind: 'kill' }
  /** SIGKILL to the coordinator: the run is LOST, and its runner starts the next one. */
  | { readonly kind: 'replace' }
  | { readonly kind: 'wait' }
  /**
   * Let the coordinator go on. `ended`: the command ended by itself. `lost`: the coordinator did. `taken`: somebody else
   * continued the coordinator. `unstoppable`, `unending`: a process does not react to SIGSTOP or SIGKILL.
   */
  | { readonly kind: 'give-up'; readonly why: 'ended' | 'lost' | 'taken' | 'unstoppable' | 'unending' };

/** A process that runs stops and dies at once; one that is blocked in the kernel does when it is not any more. */
export const BLOCKED_MS = 10_000;

/**
 * How to end a run so that any runner, the original's too, takes it for one that was lost, and runs the process again
 * without counting a failure: its coordinator ends without having recorded an end, and last of all, so that nothing of the
 * run is alive when the runner notices. The coordinator is held first, because it would record the end of a command that
 * obeys SIGTERM as SUCCESS or FAILED. Pure; times in milliseconds.
 */
export function replaceStep(
  seen: RunSeen,
  { began, wasHeld, asked }: ReplaceProgress,
  graceMs: number,
  now: number,
): ReplaceStep {
  const { coordinator, isRecorded, isCommandAlive, others, unasked } = seen;
  if (isRecorded) return giveUp('ended');
  if (coordinator === 'gone') return giveUp('lost');
  if (coordinator === 'free') {
    if (wasHeld) return giveUp('taken');
    return now - began > BLOCKED_MS ? giveUp('unstoppable') : { kind: 'hold' };
  }
  if (asked === undefined) return isCommandAlive ? { kind: 'ask', whom: 'command' } : giveUp('ended');
  if (!isCommandAlive && others === 0) return { kind: 'replace' };
  if (now - asked >= graceMs + BLOCKED_MS) return giveUp('unending');
  if (now - asked >= graceMs) return { kind: 'kill' };
  // As the runner does at the end of a task: the others when the command has ended.
  return !isCommandAlive && unasked > 0 ? { kind: 'ask', whom: 'others' } : { kind: 'wait' };
}

function giveUp(why: (ReplaceStep & { kind: 'give-up' })['why']): ReplaceStep {
  return { kind: 'give-up', why };
}
