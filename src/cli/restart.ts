import { localTasks } from '../app/local-tasks.js';
import { type Restarted, type RestartOptions, restartProcess } from '../app/restart.js';
import { onSignal } from '../host/ignored-signals.js';
import { currentUser } from '../lifecycle/keep-reason.js';
import { LOCAL_PROCESSES } from '../lifecycle/local-processes.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { killListText } from '../views/kill.js';
import { confirmationOn } from './confirm.js';
import { Interruption } from './interruption.js';
import { progressOn } from './progress.js';
import type { Terminal } from './terminal.js';

/**
 * Restarts as `restartProcess`. SIGINT, SIGTERM and SIGQUIT end it, and the promise resolves to their exit code; the end of the
 * terminal does not, because half a restart is worse than one that nobody sees.
 */
export async function restartOn(
  terminal: Terminal,
  flags: { json: boolean },
  options: Omit<RestartOptions, 'by'>,
  notice: (text: string) => void,
): Promise<Restarted | number> {
  const interruption = new Interruption();
  const progress = progressOn(terminal, flags);
  const { source } = localTasks(options.roots);
  const hangUp = () => {};
  interruption.listen();
  interruption.listenToQuit();
  onSignal('SIGHUP', hangUp);
  try {
    return await restartProcess(
      { ...options, by: currentUser(process.env) },
      {
        confirmation: confirmationOn(terminal, killListText),
        progress,
        source,
        changes: new DirectoryWatcher(),
        pause: (until) => interruption.wait(until),
        now: () => terminal.now(),
        notice,
        processes: LOCAL_PROCESSES,
      },
    );
  } finally {
    progress.stop();
    interruption.close();
    process.off('SIGHUP', hangUp);
  }
}
