/**
 * A runner that ends itself with SIGKILL at one of its records, or cannot write any more. argv: the task to be run (NewTask
 * with the document of the task), the coordinators, and the fault: `before`, `after` or `inside` the record number N, of
 * whose group the records before it are written; or `full` from it on. Without a fault it prints how long each group was.
 */
import { fstatSync, writeSync } from 'node:fs';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import { SystemError } from '../../src/errors/errors.js';
import { openTask } from '../../src/runner/runner.js';
import { runnableTask } from '../../src/runner/task-document.js';
import { writerThat } from './faulty-writer.js';

const [spec = '{}', coordinator = '', when, at] = process.argv.slice(2);
let written = 0;
const groups: number[] = [];
const writer = writerThat({
  before: (records, fd) => {
    const mine = Number(at) - written - 1;
    written += records.length;
    groups.push(records.length);
    if (when === 'full' && mine < records.length)
      throw new SystemError('checkpoint-write-failed', 'it is full');
    if (mine < 0 || mine >= records.length) return;
    const frames = records.map((record) => encodeFrame(encodeRecord(record)));
    const whole = frames.slice(0, when === 'after' ? mine + 1 : mine);
    const torn = frames[mine]?.subarray(0, when === 'inside' ? frames[mine].length / 2 : 0);
    const bytes = Buffer.concat([...whole, torn ?? Buffer.of()]);
    writeSync(fd, bytes, 0, bytes.length, fstatSync(fd).size);
    process.kill(process.pid, 'SIGKILL');
  },
});
const { task, ...rest } = JSON.parse(spec);
openTask(
  { ...rest, task: runnableTask(task) },
  { coordinator: JSON.parse(coordinator), now: Date.now, writer },
)
  .run()
  .then(
    () => process.stdout.write(JSON.stringify(groups)),
    (error) => process.stdout.write(error.message),
  );
