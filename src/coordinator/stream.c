#include "stream.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptors.h"
#include "job.h"
#include "report.h"
#include "shortage.h"

/* Thrift's binary protocol: types, and the fields of ProcessStatus, which is field 2 of RunnerCkpt. */
enum { T_STOP = 0, T_DOUBLE = 4, T_I32 = 8, T_I64 = 10, T_STRING = 11, T_STRUCT = 12 };
enum {
  MEMBER_PROCESS = 2,
  FIELD_SEQ = 1,
  FIELD_PROCESS = 3,
  FIELD_STATE = 5,
  FIELD_START_TIME = 6,
  FIELD_PID = 7,
  FIELD_STOP_TIME = 8,
  FIELD_RETURN_CODE = 9,
  FIELD_COORDINATOR_PID = 10,
  FIELD_FORK_TIME = 11,
};

enum { PREFIX_BYTES = 4, FIELD_BYTES = 3, MAX_FRAME = 128 + MAX_NAME };

struct frame {
  unsigned char bytes[MAX_FRAME];
  size_t size;
};

static void put(struct frame *frame, uint64_t value, size_t bytes) {
  for (size_t i = bytes; i-- > 0;) frame->bytes[frame->size++] = (unsigned char)(value >> (8 * i));
}

static void put_field(struct frame *frame, unsigned type, unsigned id) {
  put(frame, type, 1);
  put(frame, id, 2);
}

static void put_i32(struct frame *frame, unsigned id, int32_t value) {
  put_field(frame, T_I32, id);
  put(frame, (uint32_t)value, 4);
}

static void put_double(struct frame *frame, unsigned id, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_field(frame, T_DOUBLE, id);
  put(frame, bits, 8);
}

/* Up to the state, which all records have. */
static void begin(struct frame *frame, int64_t seq, const char *process, enum state state) {
  size_t length = strnlen(process, MAX_NAME);
  frame->size = PREFIX_BYTES;
  put_field(frame, T_STRUCT, MEMBER_PROCESS);
  put_field(frame, T_I64, FIELD_SEQ);
  put(frame, (uint64_t)seq, 8);
  put_field(frame, T_STRING, FIELD_PROCESS);
  put(frame, length, 4);
  memcpy(frame->bytes + frame->size, process, length);
  frame->size += length;
  put_i32(frame, FIELD_STATE, (int32_t)state);
}

/* Ends the struct and the union, and sets the length. */
static void end(struct frame *frame) {
  put(frame, T_STOP, 1);
  put(frame, T_STOP, 1);
  size_t size = frame->size;
  frame->size = 0;
  put(frame, size - PREFIX_BYTES, PREFIX_BYTES);
  frame->size = size;
}

void lock_stream(void) {
  /* A shortage is not waited out here: the runner makes another attempt, and nothing is recorded yet. */
  if (flock(FD_STREAM, LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) _exit(STATUS_LOCKED);
  refuse_lock(errno);
}

int64_t find_forked(off_t head, const char *process) {
  /* Our runner writes its fields in this order; only sequence number and time are not known to us. */
  enum { SEQ_AT = PREFIX_BYTES + 2 * FIELD_BYTES };
  struct frame expected;
  begin(&expected, 0, process, FORKED);
  put_i32(&expected, FIELD_COORDINATOR_PID, getpid());
  size_t time_at = expected.size + FIELD_BYTES;
  put_double(&expected, FIELD_FORK_TIME, 0);
  end(&expected);
  unsigned char found[MAX_FRAME];
  size_t have = 0;
  while (have < expected.size) {
    ssize_t count;
    while ((count = pread(FD_STREAM, found + have, expected.size - have, head + (off_t)have)) < 0) persist("read", NULL);
    if (count == 0) return -1;
    have += (size_t)count;
  }
  memcpy(expected.bytes + SEQ_AT, found + SEQ_AT, 8);
  memcpy(expected.bytes + time_at, found + time_at, 8);
  if (memcmp(expected.bytes, found, expected.size) != 0) return -1;
  uint64_t seq = 0;
  for (int i = 0; i < 8; i++) seq = seq << 8 | found[SEQ_AT + i];
  /* Two more records follow. */
  return seq > INT64_MAX - 2 ? -1 : (int64_t)seq;
}

bool sync_stream(void) { return fdatasync(FD_STREAM) == 0; }

/* The length of the stream without a record that could not be written completely; -1: not known yet. */
static off_t whole = -1;

/* Readers must see the stream as it was. */
static bool remove_part(void) {
  struct stat now;
  if (fstat(FD_STREAM, &now) != 0) return false;
  if (whole < 0) whole = now.st_size;
  return now.st_size <= whole || ftruncate(FD_STREAM, whole) == 0;
}

static bool write_frame(const struct frame *frame) {
  if (!remove_part()) return false;
  for (size_t at = 0; at < frame->size;) {
    ssize_t count = write(FD_STREAM, frame->bytes + at, frame->size - at);
    if (count == 0) errno = EIO;
    if (count <= 0) return false;
    at += (size_t)count;
  }
  return sync_stream();
}

bool append_record(const char *process, const struct record *record) {
  struct frame frame;
  begin(&frame, record->seq, process, record->state);
  if (record->state == RUNNING) {
    put_double(&frame, FIELD_START_TIME, record->time);
    put_i32(&frame, FIELD_PID, record->number);
  } else {
    put_double(&frame, FIELD_STOP_TIME, record->time);
    put_i32(&frame, FIELD_RETURN_CODE, record->number);
  }
  end(&frame);
  bool is_written = write_frame(&frame);
  int error = errno;
  if (is_written) whole += (off_t)frame.size;
  /* If this fails too, it is repeated before the next attempt. */
  else if (whole >= 0) (void)remove_part();
  errno = error;
  return is_written;
}
