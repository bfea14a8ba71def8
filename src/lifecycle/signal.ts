import type { Problem } from '../errors/problem.js';
import type { ProcessRow } from '../host/process-table.js';
import { signalWord } from '../text/signals.js';
import { mayBeSignalled, type Owner } from './owner.js';
import type { Processes } from './processes.js';

/**
 * Sends a signal to a process of the task, but only if the pid still belongs to it and its user is one whose processes
 * the task's files may name. Returns `gone` if the pid is unused or reused by now, or the problem that prevented it.
 */
export function send(
  processes: Processes,
  { pid, startTimeTicks }: Pick<ProcessRow, 'pid' | 'startTimeTicks'>,
  signal: NodeJS.Signals | number,
  owner: Owner,
): 'sent' | 'gone' | Problem {
  const now = processes.look(pid);
  if (now === undefined || now.isDead || now.startTimeTicks !== startTimeTicks) return 'gone';
  if (!mayBeSignalled(owner, now.realUid)) {
    const message = `process ${pid} was left alone: it belongs to uid ${now.realUid}, but the task to uid ${owner.uid}`;
    return { code: 'signal-refused', severity: 'error', message };
  }
  const sent = processes.signal(pid, signal);
  if (sent === 'sent' || sent === 'gone') return sent;
  const message = `process ${pid} cannot be sent ${typeof signal === 'number' ? signalWord(signal) : signal}: ${sent.why}`;
  return { code: 'signal-failed', severity: 'error', message };
}
