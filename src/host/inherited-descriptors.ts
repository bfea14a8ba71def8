import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** The flag of open(2), which Node sets on everything that it opens and on the first inherited descriptors. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes inherited descriptors that our children would inherit too: Node only handles the first sixteen or so. The
 * reader of such a pipe would wait for all of us to end. Those below `ours`, which our parent opened for us, stay: whether
 * they have the flag is the runtime's choice, and Bun does not set it.
 */
export function closeInherited(ours: number): void {
  for (const name of readdirSync('/proc/self/fd')) {
    if (Number(name) < ours) continue;
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(Number(name));
    } catch {
      // The descriptor by which the directory was read is already closed.
    }
  }
}
