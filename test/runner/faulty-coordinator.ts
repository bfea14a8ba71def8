/**
 * The coordinator, but it ends itself with SIGKILL at a write if the file `fault` beside it says so: one line,
 * `PROCESS before|inside|after N`, for one run only.
 */
import { readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRecord } from '../../src/checkpoint/codec.js';
import { encodeFrame } from '../../src/checkpoint/framing.js';
import { coordinate } from '../../src/runner/coordinator/coordinate.js';
import { writerThat } from './faulty-writer.js';

const name = process.argv[3];
const file = join(__dirname, 'fault');
let when = '';
let at = 0;
try {
  const [process_, ...fault] = readFileSync(file, 'utf8').split(' ');
  if (process_ === name) {
    renameSync(file, `${file}.done`);
    when = fault[0] as string;
    at = Number(fault[1]);
  }
} catch {
  // No fault this time.
}
let writes = 0;
const die = () => process.kill(process.pid, 'SIGKILL');
const writer = writerThat({
  before: ([record], fd) => {
    writes += 1;
    if (writes === at && when === 'before') die();
    if (writes === at && when === 'inside' && record !== undefined) {
      const frame = encodeFrame(encodeRecord(record));
      writeSync(fd, frame, 0, Math.floor(frame.length / 2));
      die();
    }
  },
  after: () => {
    if (writes === at && when === 'after') die();
  },
});
coordinate({ writer, now: Date.now, exit: process.exit });
