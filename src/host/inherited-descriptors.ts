import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** The flag of open(2), which Node sets on all that it opens and on the first descriptors that it was given. */
const O_CLOEXEC = 0o2000000;

/**
 * Closes the descriptors that whoever started us left open and that we would leave to what we start: Node sees to
 * the first sixteen or so, not to the rest. Whoever reads what is written to one waits for all of us to end.
 */
export function closeInherited(): void {
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(Number(name));
    } catch {
      // The one that the directory was read with is closed already.
    }
  }
}
