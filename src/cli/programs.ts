import { join } from 'node:path';

/** The programs of the package; the build puts this file into the same folder. */
export const MAIN = join(__dirname, 'main.cjs');
export const COORDINATOR = join(__dirname, 'coordinator.cjs');
