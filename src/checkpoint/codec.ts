import { setOwn } from './own-property.js';
import {
  type CheckpointRecord,
  type Int64,
  PROCESS_STATES,
  type ProcessStatus,
  type RunnerHeader,
  TASK_STATES,
  type TaskStatus,
} from './records.js';
import { endsInside, skipValue, stringEnd, ThriftError, ThriftWriter, TYPE } from './thrift.js';
import { decodeUtf8 } from './utf8.js';

/** The members of the union RunnerCkpt, by field id. */
export const MEMBER = { NONE: 0, HEADER: 1, PROCESS: 2, TASK: 3 } as const;

/** Field ids of ProcessStatus; `1 << id` is set in `RecordDecoder.processFields` if the field is present. */
export const PROCESS_FIELD = {
  SEQ: 1,
  PROCESS: 3,
  STATE: 5,
  START_TIME: 6,
  PID: 7,
  STOP_TIME: 8,
  RETURN_CODE: 9,
  COORDINATOR_PID: 10,
  FORK_TIME: 11,
} as const;

/** A host has no more: a record with more is not a real header, and as an object it would fill the memory. */
const MOST_PORTS = 65_536;

/**
 * No process has a longer name, and no header has longer strings in total. A name of 64 MiB would take up gigabytes when
 * it is decoded, escaped and printed in several places.
 */
const LONGEST_NAME = 1024 * 1024;
const LONGEST_HEADER = 24 * 1024 * 1024;

const HIGH = 0x1_0000_0000;

/** A big-endian signed 64-bit integer. */
function int64At(view: DataView, pos: number): Int64 {
  const high = view.getInt32(pos);
  if (high >= -0x20_0000 && high <= 0x1f_ffff) return high * HIGH + view.getUint32(pos + 4);
  return view.getBigInt64(pos);
}

const NO_BYTES = Buffer.alloc(0);
const views = new WeakMap<Buffer, DataView>();

/** Thousands of streams are read through one buffer, whose view is made once. */
function viewOf(bytes: Buffer): DataView {
  let view = views.get(bytes);
  if (view === undefined) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    views.set(bytes, view);
  }
  return view;
}

/** The end of a name, whose length is checked; see stringEnd. */
function nameEndAt(view: DataView, pos: number, end: number): number {
  const stop = stringEnd(view, pos, end);
  const length = stop - pos - 4;
  if (length <= LONGEST_NAME) return stop;
  throw new ThriftError(`a name of at most ${LONGEST_NAME} bytes was expected, not of ${length}`);
}

/** Checks the total bytes of a header's strings so far. */
function checkLength(strings: number): number {
  if (strings <= LONGEST_HEADER) return strings;
  throw new ThriftError(`a header with strings of at most ${LONGEST_HEADER} bytes was expected`);
}

/**
 * Decodes one payload (a RunnerCkpt struct) into its own fields, so that replaying a million records
 * allocates nothing for each of them. The fields are valid until the next `decode`.
 *
 * As in the original, fields of a known id with a different type are skipped, the last of a repeated field
 * wins, bytes after the struct are ignored, and of several union members the header wins, then the task
 * status, then the process status.
 */
export class RecordDecoder {
  /** The union member of the record. */
  member = 0;

  /** The fields that the record has, as bits by PROCESS_FIELD. */
  processFields = 0;
  seq: Int64 = 0;
  /** The process's name is bytes[nameStart, nameEnd). */
  nameStart = 0;
  nameEnd = 0;
  processState = 0;
  startTime = Number.NaN;
  pid = 0;
  stopTime = Number.NaN;
  returnCode = 0;
  coordinatorPid = 0;
  forkTime = Number.NaN;

  header: RunnerHeader | undefined;
  task: TaskStatus | undefined;

  #bytes: Buffer = NO_BYTES;
  #view: DataView = viewOf(NO_BYTES);

  /** Sets the bytes that positions refer to from now on. */
  attach(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** Decodes the payload bytes[start, end). Throws ThriftError. */
  decode(start: number, end: number): void {
    const view = this.#view;
    this.processFields = 0;
    this.header = undefined;
    this.task = undefined;
    let hasProcess = false;
    let pos = start;
    for (;;) {
      if (pos >= end) throw endsInside('the union');
      const type = view.getInt8(pos);
      if (type === TYPE.STOP) break;
      if (pos + 3 > end) throw endsInside('a field header');
      const id = view.getInt16(pos + 1);
      pos += 3;
      if (type === TYPE.STRUCT && id === MEMBER.PROCESS) {
        hasProcess = true;
        pos = this.#process(view, pos, end);
      } else if (type === TYPE.STRUCT && id === MEMBER.TASK) {
        pos = this.#task(view, pos, end);
      } else if (type === TYPE.STRUCT && id === MEMBER.HEADER) {
        pos = this.#header(view, pos, end);
      } else {
        pos = skipValue(view, type, pos, end);
      }
    }
    if (this.header !== undefined) this.member = MEMBER.HEADER;
    else if (this.task !== undefined) this.member = MEMBER.TASK;
    else this.member = hasProcess ? MEMBER.PROCESS : MEMBER.NONE;
  }

  /** The name of the process in the record; the empty string if it has none. */
  processName(): string {
    return decodeUtf8(this.#bytes, this.nameStart, this.nameEnd);
  }

  /** The process status as a new object. */
  processStatus(): ProcessStatus {
    const has = this.processFields;
    const value: ProcessStatus = {};
    if (has & (1 << PROCESS_FIELD.SEQ)) value.seq = this.seq;
    if (has & (1 << PROCESS_FIELD.PROCESS)) value.process = this.processName();
    if (has & (1 << PROCESS_FIELD.STATE)) {
      value.state = PROCESS_STATES[this.processState] ?? this.processState;
    }
    if (has & (1 << PROCESS_FIELD.START_TIME)) value.start_time = this.startTime;
    if (has & (1 << PROCESS_FIELD.PID)) value.pid = this.pid;
    if (has & (1 << PROCESS_FIELD.STOP_TIME)) value.stop_time = this.stopTime;
    if (has & (1 << PROCESS_FIELD.RETURN_CODE)) value.return_code = this.returnCode;
    if (has & (1 << PROCESS_FIELD.COORDINATOR_PID)) value.coordinator_pid = this.coordinatorPid;
    if (has & (1 << PROCESS_FIELD.FORK_TIME)) value.fork_time = this.forkTime;
    return value;
  }

  #process(view: DataView, start: number, end: number): number {
    let has = 0;
    let pos = start;
    for (;;) {
      if (pos >= end) throw endsInside('a process status');
      const type = view.getInt8(pos);
      if (type === TYPE.STOP) break;
      if (pos + 3 > end) throw endsInside('a field header');
      const id = view.getInt16(pos + 1);
      pos += 3;
      if (type === TYPE.I32) {
        if (pos + 4 > end) throw endsInside('a number');
        const value = view.getInt32(pos);
        pos += 4;
        if (id === PROCESS_FIELD.STATE) this.processState = value;
        else if (id === PROCESS_FIELD.PID) this.pid = value;
        else if (id === PROCESS_FIELD.RETURN_CODE) this.returnCode = value;
        else if (id === PROCESS_FIELD.COORDINATOR_PID) this.coordinatorPid = value;
        else continue;
      } else if (type === TYPE.DOUBLE) {
        if (pos + 8 > end) throw endsInside('a number');
        const value = view.getFloat64(pos);
        pos += 8;
        if (id === PROCESS_FIELD.START_TIME) this.startTime = value;
        else if (id === PROCESS_FIELD.STOP_TIME) this.stopTime = value;
        else if (id === PROCESS_FIELD.FORK_TIME) this.forkTime = value;
        else continue;
      } else if (type === TYPE.STRING && id === PROCESS_FIELD.PROCESS) {
        const stop = nameEndAt(view, pos, end);
        this.nameStart = pos + 4;
        this.nameEnd = stop;
        pos = stop;
      } else if (type === TYPE.I64 && id === PROCESS_FIELD.SEQ) {
        if (pos + 8 > end) throw endsInside('a number');
        this.seq = int64At(view, pos);
        pos += 8;
      } else {
        pos = skipValue(view, type, pos, end);
        continue;
      }
      has |= 1 << id;
    }
    this.processFields = has;
    return pos + 1;
  }

  #task(view: DataView, start: number, end: number): number {
    const task: TaskStatus = {};
    let pos = start;
    for (;;) {
      if (pos >= end) throw endsInside('a task status');
      const type = view.getInt8(pos);
      if (type === TYPE.STOP) break;
      if (pos + 3 > end) throw endsInside('a field header');
      const id = view.getInt16(pos + 1);
      pos += 3;
      if (type === TYPE.I32 && (id === 1 || id === 3 || id === 4)) {
        if (pos + 4 > end) throw endsInside('a number');
        const value = view.getInt32(pos);
        pos += 4;
        if (id === 1) task.state = TASK_STATES[value] ?? value;
        else if (id === 3) task.runner_pid = value;
        else task.runner_uid = value;
      } else if (type === TYPE.I64 && id === 2) {
        if (pos + 8 > end) throw endsInside('a number');
        task.timestamp_ms = int64At(view, pos);
        pos += 8;
      } else {
        pos = skipValue(view, type, pos, end);
      }
    }
    this.task = task;
    return pos + 1;
  }

  #header(view: DataView, start: number, end: number): number {
    const header: RunnerHeader = {};
    let strings = 0;
    let pos = start;
    for (;;) {
      if (pos >= end) throw endsInside('a header');
      const type = view.getInt8(pos);
      if (type === TYPE.STOP) break;
      if (pos + 3 > end) throw endsInside('a field header');
      const id = view.getInt16(pos + 1);
      pos += 3;
      const name = type === TYPE.STRING ? HEADER_STRINGS[id] : undefined;
      if (name !== undefined) {
        const stop = stringEnd(view, pos, end);
        strings = checkLength(strings + stop - pos);
        header[name] = decodeUtf8(this.#bytes, pos + 4, stop);
        pos = stop;
      } else if (type === TYPE.I64 && id === 2) {
        if (pos + 8 > end) throw endsInside('a number');
        header.launch_time_ms = int64At(view, pos);
        pos += 8;
      } else if (type === TYPE.I32 && id === 8) {
        if (pos + 4 > end) throw endsInside('a number');
        header.uid = view.getInt32(pos);
        pos += 4;
      } else if (type === TYPE.MAP && id === 6) {
        if (pos + 6 > end) throw endsInside('a map');
        const count = view.getInt32(pos + 2);
        if (count < 0) throw new ThriftError(`${count} is not a number of elements`);
        if (count > MOST_PORTS)
          throw new ThriftError(`at most ${MOST_PORTS} ports were expected, not ${count}`);
        const ports: Record<string, Int64> = {};
        pos += 6;
        // The original ignores the types that the map declares.
        for (let i = 0; i < count; i++) {
          const stop = stringEnd(view, pos, end);
          strings = checkLength(strings + stop - pos);
          if (stop + 8 > end) throw endsInside('a number');
          setOwn(ports, decodeUtf8(this.#bytes, pos + 4, stop), int64At(view, stop));
          pos = stop + 8;
        }
        header.ports = ports;
      } else {
        pos = skipValue(view, type, pos, end);
      }
    }
    this.header = header;
    return pos + 1;
  }
}

const HEADER_STRINGS: Record<number, 'task_id' | 'sandbox' | 'hostname' | 'user' | 'log_dir' | undefined> = {
  1: 'task_id',
  3: 'sandbox',
  4: 'hostname',
  5: 'user',
  7: 'log_dir',
};

/** The decoded record as a new object. Throws ThriftError for a union without a known member. */
export function recordIn(decoder: RecordDecoder): CheckpointRecord {
  switch (decoder.member) {
    case MEMBER.HEADER:
      return { type: 'runner_header', value: decoder.header as RunnerHeader };
    case MEMBER.TASK:
      return { type: 'task_status', value: decoder.task as TaskStatus };
    case MEMBER.PROCESS:
      return { type: 'process_status', value: decoder.processStatus() };
    default:
      throw new ThriftError('the record is none of header, process status and task status');
  }
}

/** Encodes one record as the original does: known fields in the order of the IDL's ids, unset ones left out. */
export function encodeRecord(record: CheckpointRecord): Buffer {
  const out = new ThriftWriter();
  switch (record.type) {
    case 'runner_header':
      out.field(TYPE.STRUCT, MEMBER.HEADER);
      writeHeader(out, record.value);
      break;
    case 'process_status':
      out.field(TYPE.STRUCT, MEMBER.PROCESS);
      writeProcess(out, record.value);
      break;
    case 'task_status':
      out.field(TYPE.STRUCT, MEMBER.TASK);
      writeTask(out, record.value);
      break;
  }
  return out.stop().finish();
}

function writeHeader(out: ThriftWriter, header: RunnerHeader): void {
  const { task_id, launch_time_ms, sandbox, hostname, user, ports, log_dir, uid } = header;
  if (task_id !== undefined) out.field(TYPE.STRING, 1).string(task_id);
  if (launch_time_ms !== undefined) out.field(TYPE.I64, 2).i64(launch_time_ms);
  if (sandbox !== undefined) out.field(TYPE.STRING, 3).string(sandbox);
  if (hostname !== undefined) out.field(TYPE.STRING, 4).string(hostname);
  if (user !== undefined) out.field(TYPE.STRING, 5).string(user);
  if (ports !== undefined) {
    const entries = Object.entries(ports);
    out.field(TYPE.MAP, 6).byte(TYPE.STRING).byte(TYPE.I64).i32(entries.length);
    for (const [name, port] of entries) out.string(name).i64(port);
  }
  if (log_dir !== undefined) out.field(TYPE.STRING, 7).string(log_dir);
  if (uid !== undefined) out.field(TYPE.I32, 8).i32(uid);
  out.stop();
}

function stateNumber(state: string | number, names: readonly string[]): number {
  return typeof state === 'number' ? state : names.indexOf(state);
}

function writeProcess(out: ThriftWriter, status: ProcessStatus): void {
  const { seq, process, state, start_time, pid, stop_time, return_code, coordinator_pid, fork_time } = status;
  if (seq !== undefined) out.field(TYPE.I64, PROCESS_FIELD.SEQ).i64(seq);
  if (process !== undefined) out.field(TYPE.STRING, PROCESS_FIELD.PROCESS).string(process);
  if (state !== undefined) out.field(TYPE.I32, PROCESS_FIELD.STATE).i32(stateNumber(state, PROCESS_STATES));
  if (start_time !== undefined) out.field(TYPE.DOUBLE, PROCESS_FIELD.START_TIME).double(start_time);
  if (pid !== undefined) out.field(TYPE.I32, PROCESS_FIELD.PID).i32(pid);
  if (stop_time !== undefined) out.field(TYPE.DOUBLE, PROCESS_FIELD.STOP_TIME).double(stop_time);
  if (return_code !== undefined) out.field(TYPE.I32, PROCESS_FIELD.RETURN_CODE).i32(return_code);
  if (coordinator_pid !== undefined) out.field(TYPE.I32, PROCESS_FIELD.COORDINATOR_PID).i32(coordinator_pid);
  if (fork_time !== undefined) out.field(TYPE.DOUBLE, PROCESS_FIELD.FORK_TIME).double(fork_time);
  out.stop();
}

function writeTask(out: ThriftWriter, status: TaskStatus): void {
  const { state, timestamp_ms, runner_pid, runner_uid } = status;
  if (state !== undefined) out.field(TYPE.I32, 1).i32(stateNumber(state, TASK_STATES));
  if (timestamp_ms !== undefined) out.field(TYPE.I64, 2).i64(timestamp_ms);
  if (runner_pid !== undefined) out.field(TYPE.I32, 3).i32(runner_pid);
  if (runner_uid !== undefined) out.field(TYPE.I32, 4).i32(runner_uid);
  out.stop();
}
