/**
 * A runner that ends itself with SIGKILL at one of its writes, or cannot write any more. argv: the task to be run (NewTask with the
 * document of the task), the coordinators, and the fault: `before`, `after` or `inside` the write number N, or `full` from it on.
 */
import { fstatSync, writeSync } from 'node:fs';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import { CheckpointWriter } from '../../src/checkpoint/writer.js';
import { SystemError } from '../../src/errors/errors.js';
import { openTask } from '../../src/runner/runner.js';
import { runnableTask } from '../../src/runner/task-document.js';

const [spec = '{}', coordinator = '', when, at] = process.argv.slice(2);
let writes = 0;
const die = () => process.kill(process.pid, 'SIGKILL');
const writer = (fd: number) => {
  const inner = new CheckpointWriter(fd);
  return {
    append(record: Parameters<typeof inner.append>[0]) {
      writes += 1;
      const mine = writes === Number(at);
      if (when === 'full' && writes >= Number(at))
        throw new SystemError('checkpoint-write-failed', 'it is full');
      if (mine && when === 'before') die();
      if (mine && when === 'inside') {
        const frame = encodeFrame(encodeRecord(record));
        writeSync(fd, frame, 0, Math.floor(frame.length / 2), fstatSync(fd).size);
        die();
      }
      inner.append(record);
      if (mine && when === 'after') die();
    },
  };
};
const { task, ...rest } = JSON.parse(spec);
openTask(
  { ...rest, task: runnableTask(task) },
  { coordinator: JSON.parse(coordinator), now: Date.now, writer },
)
  .run()
  .then(
    () => process.stdout.write(String(writes)),
    (error) => process.stdout.write(error.message),
  );
