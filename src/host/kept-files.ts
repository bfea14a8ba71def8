import { closeSync, readFileSync } from 'node:fs';
import { openProcessFile, processFile, readProcessFile } from './process-file.js';

/** Of all descriptors that we may have, other things need most. */
const SHARE = 4;
/** Each open file of /proc has a page of the kernel's memory. */
const MOST = 4096;

interface KeptFile {
  readonly fd: number;
  /** The number of the pass that read it last. */
  pass: number;
}

/**
 * Reads small files of processes in pass after pass, and keeps them open: to open and close one takes longer than to read
 * it. Those that are too many are opened each time. It is for files whose process the kernel looks up at each read, such as
 * `stat`, `statm` and `io`: if that is gone, they cannot be read, also if another process has the pid.
 */
export class KeptFiles {
  readonly #most: number;
  readonly #open = new Map<string, KeptFile>();
  #pass = 0;

  constructor(most: number = mostKept()) {
    this.#most = most;
  }

  /** Begins another pass. What the last one did not read is closed: its process is gone, or nobody asks for it any more. */
  begin(): void {
    for (const [path, file] of this.#open) if (file.pass < this.#pass) this.#close(path, file);
    this.#pass += 1;
  }

  /** As `processFile`. */
  read(path: string): string | undefined {
    const kept = this.#open.get(path);
    if (kept !== undefined) {
      kept.pass = this.#pass;
      const text = readProcessFile(kept.fd);
      if (text !== undefined) return text;
      this.#close(path, kept);
    }
    if (this.#open.size >= this.#most) return processFile(path);
    const fd = openProcessFile(path);
    if (fd === undefined) return undefined;
    this.#open.set(path, { fd, pass: this.#pass });
    return readProcessFile(fd);
  }

  /** Closes all files; those that are read again are opened again. */
  close(): void {
    for (const [path, file] of this.#open) this.#close(path, file);
  }

  #close(path: string, { fd }: KeptFile): void {
    closeSync(fd);
    this.#open.delete(path);
  }
}

/** None if it is not known how many descriptors we may have. */
function mostKept(): number {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return 0;
  }
  const [, soft] = /^Max open files +(\d+|unlimited)/m.exec(limits) ?? [];
  if (soft === undefined) return 0;
  return soft === 'unlimited' ? MOST : Math.min(MOST, Math.floor(Number(soft) / SHARE));
}
