import { spawnSync } from 'node:child_process';

/**
 * The arguments of unshare(1) that make the program after them the first process of a pid namespace, as in a container;
 * an unprivileged user may do so on most machines.
 */
export const CONTAINER = [...(process.getuid?.() === 0 ? [] : ['-U']), '-pf', '--mount-proc', '--kill-child'];

/** Is that possible here? */
export const CAN_CONTAIN = spawnSync('unshare', [...CONTAINER, 'true']).status === 0;
