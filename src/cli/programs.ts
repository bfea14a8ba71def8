import { join } from 'node:path';

/** The programs of the package; this file is built into the same folder. */
export const MAIN = join(__dirname, 'main.cjs');
export const COORDINATOR = join(__dirname, 'coordinator.cjs');
