/** Every command, loaded when it is named. */
export const COMMANDS = {
  completion: async () => (await import('./completion.js')).default,
  doctor: async () => (await import('./doctor.js')).default,
  gc: async () => (await import('./gc.js')).default,
  help: async () => (await import('./help.js')).default,
  inspect: async () => (await import('./inspect.js')).default,
  kill: async () => (await import('./kill.js')).default,
  read: async () => (await import('./read.js')).default,
  roots: async () => (await import('./roots.js')).default,
  run: async () => (await import('./run.js')).default,
  simplerun: async () => (await import('./simplerun.js')).default,
  status: async () => (await import('./status.js')).default,
  tail: async () => (await import('./tail.js')).default,
  version: async () => (await import('./version.js')).default,
  wait: async () => (await import('./wait.js')).default,
  '__run-daemon': async () => (await import('./run-daemon.js')).default,
  '__show-run': async () => (await import('./show-run.js')).default,
  __complete: async () => (await import('./complete-words.js')).default,
};

/** Those that people are told of; the others are for scripts of our own. */
export const VISIBLE_IDS: readonly string[] = Object.keys(COMMANDS).filter((id) => !id.startsWith('_'));
