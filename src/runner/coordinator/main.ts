/** The entry of a coordinator: `dist/coordinator.cjs`. Its arguments only serve readers of `ps`. */
import '../no-debugger.js';
import { CheckpointWriter } from '../../checkpoint/writer.js';
import { closeInherited } from '../../host/inherited-descriptors.js';
import { coordinate } from './coordinate.js';
import { FD } from './job.js';

closeInherited(FD.report + 1);
// A signal to a whole control group also ends the command: survive it to record that end.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
coordinate({ writer: (fd) => new CheckpointWriter(fd), now: Date.now, exit: process.exit });
