// node read-and-parse.cjs ROOT: the least that a program in Node must do to know the states of all tasks: opens, reads
// and parses their files, task files as JSON and streams record by record, and prints how many tasks there are. Checks
// nothing of what `status` must check, and shows nothing. A yardstick, independent of src/.

const { readFileSync, readdirSync } = require('node:fs');

const [, , root] = process.argv;
const FAILED = 2;
const RECORD = { process: 2, status: 3 };
const TYPE = { double: 4, i32: 8, i64: 10, string: 11 };

const i32 = (bytes, at) => (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];

/** The states of the task and, by their names, of its processes. Headers are skipped, as are times and pids. */
function readStream(path) {
  const bytes = readFileSync(path);
  const statuses = [];
  const processes = new Map();
  for (let frame = 0; frame < bytes.length; ) {
    const end = frame + 4 + i32(bytes, frame);
    // The record is a union: the type and the number of its only member, whose fields follow.
    const member = bytes[frame + 6];
    if (member === RECORD.status) statuses.push(i32(bytes, frame + 10));
    if (member === RECORD.process) readProcess(bytes, frame + 7, processes);
    frame = end;
  }
  return { statuses, processes };
}

/** Fields of a process: 3 its name, 5 its state, 9 its return code. */
function readProcess(bytes, start, processes) {
  let process = { state: 0, returnCode: undefined };
  for (let at = start; bytes[at] !== 0; ) {
    const type = bytes[at];
    const id = bytes[at + 2];
    at += 3;
    if (type === TYPE.string) {
      const end = at + 4 + i32(bytes, at);
      const name = bytes.latin1Slice(at + 4, end);
      const known = processes.get(name);
      if (known === undefined) processes.set(name, process);
      else process = known;
      at = end;
    } else if (type === TYPE.i32) {
      if (id === 5) process.state = i32(bytes, at);
      if (id === 9) process.returnCode = i32(bytes, at);
      at += 4;
    } else if (type === TYPE.i64 || type === TYPE.double) at += 8;
    else throw new Error(`a field of type ${type}`);
  }
}

const tasks = [];
for (const phase of ['active', 'finished']) {
  for (const id of readdirSync(`${root}/tasks/${phase}`)) {
    const task = JSON.parse(readFileSync(`${root}/tasks/${phase}/${id}`, 'utf8'));
    tasks.push({ id, phase, task, state: readStream(`${root}/checkpoints/${id}/runner`) });
  }
}
const failed = tasks.filter(({ state }) => state.statuses.at(-1) === FAILED).length;
console.log(`${tasks.length} tasks, ${failed} of them FAILED`);
