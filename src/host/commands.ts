import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** A running command, and for whom it runs. */
export interface RunningCommand {
  pid: number;
  words: string[];
  /** Real, effective, saved and file system uid (proc(5)): all alike unless it is a set-uid program. */
  uids: number[];
  /** It is in a pid namespace below ours, as in a container. */
  nested: boolean;
}

/**
 * The running commands that have a text in their words; what can't be read is left out. One buffer and three calls
 * a process, because hosts have thousands.
 */
export function runningCommands(proc: string, text: string): RunningCommand[] {
  const commands: RunningCommand[] = [];
  const buffer = Buffer.allocUnsafe(32 * 1024);
  let names: string[] = [];
  try {
    names = readdirSync(proc);
  } catch {
    // No /proc: nothing can be said of processes.
  }
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    try {
      const fd = openSync(`${proc}/${name}/cmdline`, 'r');
      let length: number;
      try {
        length = readSync(fd, buffer);
      } finally {
        closeSync(fd);
      }
      const found = buffer.indexOf(text);
      if (found === -1 || found >= length) continue;
      const status = readFileSync(`${proc}/${name}/status`, 'utf8');
      const uids = /^Uid:((?:\t\d+){4})$/m.exec(status)?.[1]?.trim().split('\t').map(Number);
      if (uids === undefined) continue;
      commands.push({
        pid: Number(name),
        words: buffer.toString('utf8', 0, length).split('\0'),
        uids,
        nested: /^NSpid:\t\d+\t/m.test(status),
      });
    } catch {
      // Ended in between.
    }
  }
  return commands;
}
