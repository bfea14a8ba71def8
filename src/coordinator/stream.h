/* The checkpoint stream of a process: framed Thrift records, see src/checkpoint/framing.ts and codec.ts. */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Numbers of ProcessState. */
enum state { FORKED = 1, RUNNING = 2, SUCCESS = 3, KILLED = 4, FAILED = 5 };

/* Takes flock(2) LOCK_EX on the stream, or exits: the lock that the original's coordinators hold. */
void lock_stream(void);

/* The sequence number of the FORKED that the runner recorded for us at `head`; -1 if it did not. */
int64_t find_forked(off_t head, const char *process);

/* Makes durable what is in the stream; false, with errno, if that fails. */
bool sync_stream(void);

/* A record that waits to be written. */
struct record {
  int64_t seq;
  enum state state;
  /* Seconds since the epoch: of the start for RUNNING, else of the end. */
  double time;
  /* The pid for RUNNING, else the return code: of a killed command the negated number of the signal. */
  int32_t number;
};

/*
 * Appends a record and makes it durable. False, with errno, if it cannot be written completely (for example on a full disk); a part
 * that was written is then removed before anything else is appended.
 */
bool append_record(const char *process, const struct record *record);

#endif
