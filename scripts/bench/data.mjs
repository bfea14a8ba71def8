// Makes the data of the benchmarks: checkpoint streams as the original writes them, byte for byte in the same
// shapes. Independent of src/checkpoint on purpose: the code under test must not write its own test data.

import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const EPOCH = 1_700_000_000;
const PROCESS_STATE = { WAITING: 0, FORKED: 1, RUNNING: 2, SUCCESS: 3, FAILED: 5 };
const TASK_STATE = { ACTIVE: 0, SUCCESS: 1, FAILED: 2, CLEANING: 5, FINALIZING: 6 };

/** Appends records to one buffer; `take` returns it and starts a new one. */
class Records {
  #bytes = Buffer.alloc(8 << 20);
  #at = 0;
  count = 0;

  get length() {
    return this.#at;
  }

  take() {
    const bytes = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return bytes;
  }

  #field(type, id) {
    this.#at = this.#bytes.writeInt8(type, this.#at);
    this.#at = this.#bytes.writeInt16BE(id, this.#at);
  }

  #text(value) {
    const length = this.#bytes.write(value, this.#at + 4, 'utf8');
    this.#bytes.writeInt32BE(length, this.#at);
    this.#at += 4 + length;
  }

  i32(id, value) {
    this.#field(8, id);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  i64(id, value) {
    this.#field(10, id);
    this.#at = this.#bytes.writeBigInt64BE(BigInt(value), this.#at);
  }

  double(id, value) {
    this.#field(4, id);
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
  }

  string(id, value) {
    this.#field(11, id);
    this.#text(value);
  }

  ports(id, ports) {
    this.#field(13, id);
    this.#at = this.#bytes.writeInt8(11, this.#at);
    this.#at = this.#bytes.writeInt8(10, this.#at);
    const entries = Object.entries(ports);
    this.#at = this.#bytes.writeInt32BE(entries.length, this.#at);
    for (const [name, port] of entries) {
      this.#text(name);
      this.#at = this.#bytes.writeBigInt64BE(BigInt(port), this.#at);
    }
  }

  /** One frame: a RunnerCkpt with this member. */
  record(member, fields) {
    const start = this.#at;
    this.#at += 4;
    this.#field(12, member);
    fields();
    this.#at = this.#bytes.writeInt16BE(0, this.#at);
    this.#bytes.writeUInt32BE(this.#at - start - 4, start);
    this.count += 1;
  }

  header({ taskId, launchMs, sandbox, hostname = 'bench.example.com', user = 'root', uid = 0, ports = {} }) {
    this.record(1, () => {
      this.string(1, taskId);
      this.i64(2, launchMs);
      this.string(3, sandbox);
      this.string(4, hostname);
      this.string(5, user);
      this.ports(6, ports);
      this.string(7, `${sandbox}/.logs`);
      this.i32(8, uid);
    });
  }

  task(state, ms, pid) {
    this.record(3, () => {
      this.i32(1, TASK_STATE[state]);
      this.i64(2, ms);
      this.i32(3, pid);
      this.i32(4, 0);
    });
  }

  #process(seq, name, state, rest = () => {}) {
    this.record(2, () => {
      this.i64(1, seq);
      this.string(3, name);
      this.i32(5, PROCESS_STATE[state]);
      rest();
    });
  }

  waiting(name, seq) {
    this.#process(seq, name, 'WAITING');
  }

  forked(name, seq, pid, at) {
    this.#process(seq, name, 'FORKED', () => {
      this.i32(10, pid);
      this.double(11, at);
    });
  }

  running(name, seq, pid, at) {
    this.#process(seq, name, 'RUNNING', () => {
      this.double(6, at);
      this.i32(7, pid);
    });
  }

  ended(name, seq, returnCode, at) {
    this.#process(seq, name, returnCode === 0 ? 'SUCCESS' : 'FAILED', () => {
      this.double(8, at);
      this.i32(9, returnCode);
    });
  }
}

/** The task file as the original writes it, defaults filled in. */
function taskFile(name, processes) {
  return JSON.stringify({
    processes: processes.map((process) => ({
      daemon: false,
      name: process,
      max_failures: 1,
      ephemeral: false,
      min_duration: 5,
      cmdline: `echo ${process}`,
      final: false,
    })),
    name,
    finalization_wait: 30,
    max_failures: 1,
    max_concurrency: 0,
    resources: { gpu: 0, disk: 67108864, ram: 67108864, cpu: 0.5 },
    constraints: [],
  });
}

function write(path, data) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
}

/**
 * A bare root with one active task whose process was started `runs` times, each run with four records.
 * Returns {root, runner, records, bytes}.
 */
export function makeStream(dir, runs) {
  const root = join(dir, 'root');
  const runner = join(root, 'checkpoints/bench-stream/runner');
  write(join(root, 'tasks/active/bench-stream'), taskFile('bench-stream', ['proc']));
  mkdirSync(dirname(runner), { recursive: true });
  const fd = openSync(runner, 'w');
  const records = new Records();
  let bytes = 0;
  const flush = () => {
    bytes += writeSync(fd, records.take());
  };
  records.task('ACTIVE', EPOCH * 1000 + 14, 4242);
  records.header({ taskId: 'bench-stream', launchMs: EPOCH * 1000, sandbox: join(dir, 'sandbox') });
  for (let run = 0; run < runs; run++) {
    const at = EPOCH + run;
    const pid = 1000 + ((run * 2) % 31000);
    records.waiting('proc', run * 4);
    records.forked('proc', run * 4 + 1, pid, at + 0.03125);
    records.running('proc', run * 4 + 2, pid + 1, at + 0.140625);
    records.ended('proc', run * 4 + 3, 0, at + 0.875);
    if (records.length > 4 << 20) flush();
  }
  flush();
  closeSync(fd);
  return { root, runner, records: records.count, bytes };
}

/**
 * A bare root with `count` finished tasks of three processes, every tenth FAILED, and `active` ones whose last process
 * still runs. Returns its path.
 */
export function makeHost(dir, count, active = 0) {
  const root = join(dir, 'root');
  const names = ['fetch', 'build', 'serve'];
  const records = new Records();
  for (let index = 0; index < count + active; index++) {
    const isActive = index >= count;
    const serial = index.toString(16).padStart(12, '0');
    const taskId = `www-data-prod-job${Math.floor(index / 100)}-${index % 100}-6ba7b812-9dad-51d1-80b4-${serial}`;
    const launch = EPOCH + index * 7.25;
    const ms = Math.trunc(launch * 1000);
    const pid = 1000 + ((index * 11) % 30000);
    const failed = index % 10 === 9;
    records.task('ACTIVE', ms + 14, pid);
    records.header({
      taskId,
      launchMs: ms,
      sandbox: join(dir, 'sandboxes', taskId),
      ports: { http: 31000 + (index % 1000) },
    });
    names.forEach((name, k) => {
      const at = launch + k * 1.5;
      records.waiting(name, 0);
      records.forked(name, 1, pid + 3 * k + 1, at + 0.0625);
      records.running(name, 2, pid + 3 * k + 2, at + 0.171875);
      if (!isActive || k < 2) records.ended(name, 3, failed && k === 2 ? 1 : 0, at + 1.25);
    });
    if (!isActive) {
      ['CLEANING', 'FINALIZING', failed ? 'FAILED' : 'SUCCESS'].forEach((state, k) => {
        records.task(state, ms + 5000 + k * 3, pid);
      });
    }
    write(join(root, 'checkpoints', taskId, 'runner'), records.take());
    write(join(root, isActive ? 'tasks/active' : 'tasks/finished', taskId), taskFile(taskId, names));
  }
  mkdirSync(join(root, 'tasks/active'), { recursive: true });
  return root;
}

/**
 * Logs of the first runs of processes in all sandboxes of a host that `makeHost` made in the directory: `lines` lines in
 * each stream.
 */
export function makeLogs(dir, processes, lines) {
  const text = Array.from({ length: lines }, (_, i) => `${i} ${'the quick brown fox '.repeat(i % 5)}\n`).join(
    '',
  );
  for (const id of readdirSync(join(dir, 'root/tasks/finished'))) {
    for (const process of processes) {
      for (const stream of ['stdout', 'stderr']) {
        write(join(dir, 'sandboxes', id, '.logs', process, '0', stream), text);
      }
    }
  }
}

/**
 * A bare root with one finished task of many processes, each of which failed in all its runs but the last. Returns its
 * path.
 */
export function makeManyRuns(dir, processes, runs) {
  const root = join(dir, 'root');
  const taskId = 'bench-many-runs';
  const names = Array.from({ length: processes }, (_, i) => `process-${i}`);
  const records = new Records();
  records.task('ACTIVE', EPOCH * 1000 + 14, 4242);
  records.header({ taskId, launchMs: EPOCH * 1000, sandbox: join(dir, 'sandbox') });
  for (const [i, name] of names.entries()) {
    for (let run = 0; run < runs; run++) {
      const at = EPOCH + i * 0.5 + run * 7;
      const pid = 1000 + ((i * runs + run) % 15000) * 2;
      records.waiting(name, run * 4);
      records.forked(name, run * 4 + 1, pid, at + 0.0625);
      records.running(name, run * 4 + 2, pid + 1, at + 0.171875);
      records.ended(name, run * 4 + 3, run < runs - 1 ? 1 : 0, at + 5.25);
    }
  }
  const end = (EPOCH + processes * 0.5 + runs * 7) * 1000;
  ['CLEANING', 'FINALIZING', 'SUCCESS'].forEach((state, k) => {
    records.task(state, end + k * 3, 4242);
  });
  write(join(root, 'checkpoints', taskId, 'runner'), records.take());
  write(join(root, 'tasks/finished', taskId), taskFile(taskId, names));
  mkdirSync(join(root, 'tasks/active'), { recursive: true });
  return root;
}
