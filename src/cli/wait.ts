import { localTasks } from '../app/local-tasks.js';
import { NO_PROGRESS } from '../app/progress.js';
import type { RootFlags } from '../app/search.js';
import { waitForTask } from '../app/wait.js';
import { PROCESS_STATES, type ProcessState } from '../checkpoint/records.js';
import { encodeTask } from '../contracts/encode-task.js';
import type { WaitDocument } from '../contracts/task.js';
import { badValue } from '../errors/errors.js';
import type { Problem } from '../errors/problem.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import type { Condition } from '../task/condition.js';
import { waitText } from '../views/wait.js';
import type { AgentFlags } from './agent-flags.js';
import { agentsOf } from './agents.js';
import { Interruption } from './interruption.js';
import type { Style, Terminal } from './terminal.js';

export interface WaitRequest {
  conditions: readonly Condition[];
  /** Milliseconds; undefined: as long as it takes. */
  timeout: number | undefined;
  notice: (text: string) => void;
}

export interface ShownWait {
  exitCode: number;
  document: WaitDocument;
  text: (style: Style) => string;
  problems: readonly Problem[];
}

/** Waits like `waitForTask`; a signal ends the wait, and the promise resolves to its exit code. */
export async function waitUntil(
  word: string,
  flags: RootFlags & AgentFlags,
  { conditions, timeout, notice }: WaitRequest,
  terminal: Terminal,
): Promise<ShownWait | number> {
  const agents = await agentsOf(flags, terminal, [word], NO_PROGRESS);
  const interruption = new Interruption();
  interruption.listen();
  try {
    const answer = await waitForTask(
      word,
      { conditions, timeout },
      {
        gatherer: agents?.gatherer ?? localTasks(flags),
        changes: agents?.changes() ?? new DirectoryWatcher(),
        pause: (until) => interruption.wait(until),
        now: () => performance.now(),
        notice,
      },
    );
    if (typeof answer === 'number') return answer;
    const { exitCode, view, met, why, problems } = answer;
    return {
      exitCode,
      document: { met, why, task: encodeTask(view), problems: [] },
      text: (style) => waitText(view, conditions, why, style),
      problems,
    };
  } finally {
    interruption.close();
    agents?.close();
  }
}

/** `process=NAME:STATE`; the name may hold colons. Throws UsageError. */
export function parseCondition(text: string): Condition {
  const [, process, word] = /^process=(.+):([^:]+)$/s.exec(text) ?? [];
  if (process === undefined || word === undefined) {
    throw badValue('--for', 'process=NAME:STATE', text);
  }
  const state = word.toUpperCase() as ProcessState;
  if (!PROCESS_STATES.includes(state)) {
    throw badValue('--for', `process=NAME:STATE with one of the states ${PROCESS_STATES.join(', ')}`, text);
  }
  return { process, state };
}
