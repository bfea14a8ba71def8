/* The job of a coordinator: one run of one process. src/runner/native-job.ts encodes it. */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The form of jobs that we understand; the runner compares it with its own. */
#define JOB_VERSION "1"

enum {
  /* A process that has a stream has a name that fits into a file name. */
  MAX_NAME = 255,
  MAX_PATH = 4095,
  MAX_GROUPS = 65536,
  /* The kernel takes less from all arguments and variables of a command together. */
  MAX_JOB = 16 * 1024 * 1024,
};

struct account {
  uid_t uid;
  gid_t gid;
  const gid_t *groups;
  size_t group_count;
};

enum destination { TO_FILE, TO_CONSOLE, TO_BOTH, TO_NONE };

struct job {
  const char *process;
  const char *cmdline;
  const char *cwd;
  /* The root directory of the command line; NULL: ours. */
  const char *chroot;
  /* Of the command line; -1: ours. */
  int umask;
  /* Switch to this user; NULL: keep the current one. */
  const struct account *account;
  /* LOG_DIR/PROCESS/RUN. */
  const char *logs;
  enum destination destination;
  /* The size at which a log is rotated; 0: never. */
  uint64_t log_size;
  unsigned backups;
  /* The offset in the stream at which the runner records FORKED. */
  off_t head;
  /* The soft limit of open files of the command line; 0: ours. */
  uint64_t open_files;
  /* NAME=VALUE, ends with NULL. */
  char **environment;
  /* Holds all of the above. */
  char *memory;
};

/*
 * Reads the job from FD_CONTROL and waits until FORKED is on disk or the runner is gone, which may have recorded FORKED
 * just before. False if the runner ended before it sent the whole job. A job that is not one is refused.
 */
bool read_job(struct job *job);

/* Frees what the command was started with. */
void free_job(struct job *job);

#endif
