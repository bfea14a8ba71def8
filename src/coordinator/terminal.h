/* The terminal of a command that must not have ours. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

struct terminal {
  /* Which of the descriptors 0 to 2 are our terminal; the command gets its own for them. */
  bool is_ours[3];
  /* False if none is: then nothing else counts. */
  bool is_needed;
  int master;
  int slave;
};

/* Makes one, for that user, if any of the descriptors 0 to 2 is a terminal: of the same size and settings. */
void make_terminal(struct terminal *terminal, uid_t uid);

/* In the command, which leads a session: has the new terminal, and no other. */
void take_terminal_of_own(const struct terminal *terminal);

/*
 * In us: passes on keys, output, sizes and signals until the command ends. Returns its status as of waitpid; exits if our
 * own terminal goes away.
 */
int relay_terminal(const struct terminal *terminal, pid_t command);

/* To be called before the command is started: signals wait for `relay_terminal`. */
void hold_signals(void);

#endif
