/** Every command, loaded when it is named. */
export const COMMANDS = {
  help: async () => (await import('./help.js')).default,
  version: async () => (await import('./version.js')).default,
};
