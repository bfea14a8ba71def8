/* The descriptors of a coordinator and its exit statuses: the same for both kinds, see src/runner/coordinator/job.ts. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdbool.h>

enum {
  /* The job, then "go\n" once FORKED is written. If it ends without: check whether FORKED was recorded. */
  FD_CONTROL = 0,
  /* For console output of the process. */
  FD_STDOUT = 1,
  FD_STDERR = 2,
  /* coordinator.PROCESS. We hold its lock as long as this is open. */
  FD_STREAM = 3,
  /* "locked VERSION\n", lines "waiting: ...\n", then the reason why the process could not be started, as text. */
  FD_REPORT = 4,
};

enum {
  /* The end of the run is on disk, or there was nothing to do. */
  STATUS_OK = 0,
  /* It was started without a stream. */
  STATUS_USAGE = 64,
  /* The end of the run could not be recorded. */
  STATUS_UNRECORDED = 70,
  /* The process cannot be started; the reason is on FD_REPORT. */
  STATUS_CANNOT_START = 71,
  /* FORKED cannot be made durable; the reason is on FD_REPORT. */
  STATUS_CANNOT_RECORD = 72,
  /* It could not be started by no fault of its own: the machine is short of something, or a disk does not work. */
  STATUS_SHORTAGE = 73,
  /* The stream cannot be locked; the reason is on FD_REPORT. */
  STATUS_CANNOT_LOCK = 74,
  /* Another coordinator holds the lock of the stream. */
  STATUS_LOCKED = 75,
};

/* Occupies 0 to 4, lets no command inherit 3 and 4, and closes all others. Exits if we have no stream. */
void take_descriptors(void);

/* Closes all descriptors above that number. */
void close_above(int last);

/* Opens /dev/null as those of 0 to 2 that are closed; false, with errno, if it cannot. */
bool occupy_standard(void);

/* Closes everything but `output`, which becomes our stdout: others can now lock the stream. */
void release_descriptors(int output);

#endif
