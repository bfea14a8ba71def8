/* The log files of a process. */
#ifndef LOGS_H
#define LOGS_H

#include <stddef.h>
#include <stdint.h>

#include "job.h"

/*
 * As root: creates those parts of LOG_DIR/PROCESS/RUN that are in directories of other users. As in the original, only
 * the last one is given to the user, because the owner of those above could move the logs. Parts in a directory of the
 * user's own are left to the user. Follows no link that may be a trap for root. What fails here is reported by the user's
 * own attempt.
 */
void give_log_directory(const char *logs, uid_t uid, gid_t gid);

/* Creates a directory and its missing ancestors; refuses if it cannot. */
void make_directory(const char *path);

/*
 * A log that is appended to. With a size it rotates: a file that has reached the size becomes PATH.1, that becomes PATH.2
 * and so on, up to `backups`. A failed write loses its bytes, because a full disk must not block the process.
 */
struct log {
  char path[MAX_PATH + 1];
  int fd;
  uint64_t size;
  /* 0: it does not rotate. */
  uint64_t log_size;
  unsigned backups;
};

/* Opens DIRECTORY/NAME for appending, without a wait for the reader of a pipe; refuses if it cannot. */
int open_log(char path[MAX_PATH + 1], const char *directory, const char *name);

void write_log(struct log *log, const char *bytes, size_t count);

#endif
