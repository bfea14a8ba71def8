/* Where the output of the command goes. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>

#include "job.h"
#include "logs.h"

/* Takes one of the command's streams from a pipe to a log, the console, or both. */
struct pump {
  /* The read end; -1: there is none, or it has come to its end. */
  int fd;
  bool has_log;
  struct log log;
  /* FD_STDOUT or FD_STDERR; -1: none. */
  int console;
  bool is_stalled;
};

struct output {
  /* For stdout and stderr of the command. */
  int command[2];
  struct pump pumps[2];
};

/* Prepares our console as root, before the user is changed. */
void open_console(const struct job *job);

/* Opens logs and pipes, as the user; refuses if it cannot. */
void open_output(const struct job *job, struct output *output);

/* Passes on what has come. */
void pump(struct pump *pump);

/* Passes on what is in the pipe now and closes it: later output of other holders of the write end is lost. */
void drain(struct pump *pump);

#endif
