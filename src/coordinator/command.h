/* The command line of the process. */
#ifndef COMMAND_H
#define COMMAND_H

#include <sys/types.h>

#include "job.h"

/* Starts `/bin/bash -c CMDLINE` with these outputs, and returns its pid; refuses if it cannot be executed. */
pid_t start_command(const struct job *job, const int outputs[2]);

/* As for every new program: nothing is ignored or blocked. */
void reset_signals(void);

#endif
