import { setFlagsFromString } from 'node:v8';

/** V8 11, of Node 20, has another flag for the same than those after it. */
const [ONCE, AS_BEFORE] = process.versions.v8.startsWith('11.')
  ? ['--memory-reducer-single-gc', '--no-memory-reducer-single-gc']
  : ['--memory-reducer-gc-count=1', '--memory-reducer-gc-count=2'];

/**
 * For a program that from now on mostly waits. V8 collects its garbage 8 s after it has become idle, and half a second
 * later once more: the second time it finds next to nothing, and takes as long, 10 ms of a runner. This leaves it out.
 */
export function collectOnceWhenIdle(): void {
  setFlagsFromString(ONCE);
  // The code cache that is written at the end is only good for programs with the same flags.
  process.prependListener('exit', () => setFlagsFromString(AS_BEFORE));
}
