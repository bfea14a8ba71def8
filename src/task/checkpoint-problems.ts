import type { Gap } from '../checkpoint/ends.js';
import type { Damage } from '../checkpoint/framing.js';
import { type CheckpointState, type ProcessHistory, REPLAY_LIMITS } from '../checkpoint/replay.js';
import type { Change } from '../checkpoint/stream-memory.js';
import { thermosCommand } from '../discovery/advised-command.js';
import type { ProblemCode } from '../errors/codes.js';
import { errnoOf } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { unreadable } from '../store/problems.js';

/**
 * The problem of a stream that can't be used to its end. `over`: its task is finished, so nobody will write the
 * rest of a truncated record.
 */
export function damagedCheckpoint(path: string, damage: Damage, over: boolean): Problem {
  const { kind, offset, reason, sparse } = damage;
  const hint = 'the output shows the state up to that point';
  if (sparse) {
    const message = `the checkpoint ${path} is not read beyond byte ${offset}: ${reason}`;
    return { code: 'checkpoint-sparse', severity: 'error', message, path, offset, hint };
  }
  if (kind === 'incomplete' && !over) {
    const message = `the checkpoint ${path} ends inside a record at byte ${offset}: ${reason}`;
    return { code: 'checkpoint-incomplete', severity: 'warning', message, path, offset };
  }
  const message = `the checkpoint ${path} is damaged at byte ${offset}: ${reason}`;
  return { code: 'checkpoint-damaged', severity: 'error', message, path, offset, hint };
}

/** The problem of a stream with more processes than are kept: records of the others are ignored. `agent`: where it is. */
export function processesLeftOut(
  path: string,
  { records_left_out }: CheckpointState,
  agent?: string,
): Problem | undefined {
  if (records_left_out === undefined) return undefined;
  const { processes, nameBytes } = REPLAY_LIMITS;
  return {
    code: 'processes-left-out',
    severity: 'error',
    message:
      `the checkpoint ${path} names more than ${processes} processes, or names longer than ${nameBytes} bytes ` +
      `together: ${records_left_out} records of later processes are left out`,
    path,
    hint: `to list every record: ${listAll(path, agent)}`,
  };
}

function listAll(path: string, agent: string | undefined): string {
  return thermosCommand(['read', '--records'], agent === undefined ? {} : { agent: [agent] }, [path]);
}

/** The problems of a history that is too long to keep: only its first and last parts are kept. `agent`: where it is. */
export function historyLeftOut(
  path: string,
  history: ReadonlyMap<string, ProcessHistory>,
  statuses: Gap | undefined,
  agent?: string,
): Problem[] {
  const gaps = [...history].flatMap(([process, { left_out }]) =>
    left_out === undefined ? [] : [{ process, ...left_out }],
  );
  const problem = (code: ProblemCode, what: string, process?: string): Problem => ({
    code,
    severity: 'warning',
    message: `${what} between the first and the last ones are left out`,
    path,
    process,
    hint: `to list every record: ${listAll(path, agent)}`,
  });
  const problems: Problem[] = [];
  const [first] = gaps;
  if (first !== undefined) {
    const count = gaps.reduce((sum, gap) => sum + gap.count, 0);
    const one = gaps.length === 1;
    const of = one ? `process ${first.process}` : `${gaps.length} processes`;
    problems.push(problem('runs-left-out', `${count} runs of ${of}`, one ? first.process : undefined));
  }
  if (statuses !== undefined) problems.push(problem('statuses-left-out', `${statuses.count} task statuses`));
  return problems;
}

const CHANGES: Record<Change, string> = {
  replaced: 'another file replaced it',
  shortened: 'it became shorter',
  rewritten: 'it was rewritten',
};

/** The problem of a followed stream that is no longer the one that was read. */
export function replacedCheckpoint(path: string, change: Change): Problem {
  return {
    code: 'checkpoint-replaced',
    severity: 'warning',
    message: `the checkpoint ${path} is read again from the start: ${CHANGES[change]}`,
    path,
  };
}

/** The problem of a stream that can't be opened or read. */
export function unreadableCheckpoint(path: string, error: unknown): Problem {
  if (errnoOf(error) === 'ENOENT') {
    return { code: 'checkpoint-missing', severity: 'error', message: `there is no checkpoint ${path}`, path };
  }
  const tried = `read the checkpoint ${path}`;
  return unreadable({ code: 'checkpoint-unreadable', tried, what: 'the checkpoint', error, path });
}

/** The problem of an active task without a stream, if nothing shows that it began. */
export function notStarted(path: string): Problem {
  const message = `there is no checkpoint ${path}: its task is about to start, or its runner died before it started it`;
  return { code: 'checkpoint-missing', severity: 'warning', message, path };
}
