/** The entry of a coordinator: `dist/coordinator.cjs`. Its arguments are for those who read `ps`. */
import '../no-debugger.js';
import { CheckpointWriter } from '../../checkpoint/writer.js';
import { closeInherited } from '../../host/inherited-descriptors.js';
import { coordinate } from './coordinate.js';

closeInherited();
// Whoever ends a whole control group ends the command: that is to be recorded, not to be lost.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
coordinate({ writer: (fd) => new CheckpointWriter(fd), now: Date.now, exit: process.exit });
