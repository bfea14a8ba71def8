/** Every command, loaded when it is named. */
export const COMMANDS = {
  help: async () => (await import('./help.js')).default,
  read: async () => (await import('./read.js')).default,
  roots: async () => (await import('./roots.js')).default,
  status: async () => (await import('./status.js')).default,
  version: async () => (await import('./version.js')).default,
};
