import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** A running command, and the user it runs as. */
export interface RunningCommand {
  pid: number;
  words: string[];
  /** Real, effective, saved and file system uid (proc(5)): all the same unless it is a set-uid program. */
  uids: number[];
  /** It is in a pid namespace below ours, as in a container. */
  nested: boolean;
}

/**
 * The running commands whose command lines contain a text; what cannot be read is left out. It uses one buffer and
 * three calls per process, because hosts have thousands.
 */
export function runningCommands(proc: string, text: string): RunningCommand[] {
  const commands: RunningCommand[] = [];
  const buffer = Buffer.allocUnsafe(32 * 1024);
  let names: string[] = [];
  try {
    names = readdirSync(proc);
  } catch {
    // No /proc: no processes are found.
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
      // It has ended meanwhile.
    }
  }
  return commands;
}
