import { setFlagsFromString } from 'node:v8';

/** V8 11, in Node 20, has a different flag for this than later versions. */
const [ONCE, AS_BEFORE] = process.versions.v8.startsWith('11.')
  ? ['--memory-reducer-single-gc', '--no-memory-reducer-single-gc']
  : ['--memory-reducer-gc-count=1', '--memory-reducer-gc-count=2'];

/**
 * For a program that mostly waits from now on. V8 collects garbage 8 s after a program has become idle, and once more
 * half a second later: the second collection finds almost nothing, but takes as long, 10 ms in a runner. This disables
 * the second one.
 */
export function collectOnceWhenIdle(): void {
  setFlagsFromString(ONCE);
  // The code cache that is written at exit is valid only for programs with the same flags.
  process.prependListener('exit', () => setFlagsFromString(AS_BEFORE));
}
