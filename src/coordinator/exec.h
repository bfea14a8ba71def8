/*
 * `thermos exec`: a command that is like a process of a task: with its user, groups, environment, working directory, root
 * directory, namespaces and limits, and without anything of ours.
 *
 * Arguments: EXEC_WORD PID TICKS UID NAMESPACES [COMMAND...]; PID and TICKS (its start in clock ticks since boot) identify
 * the process, UID is its real uid, NAMESPACES is `enter` or `stay`. Without COMMAND, it is a shell. Our environment is
 * added to that of the process.
 *
 * For root, the command is our child in a session of its own. The process may be hostile: whoever has root's terminal open
 * could read what is typed there, or type for root. So the command gets a terminal of its own, and we pass on what is
 * typed and shown. Anybody else becomes the command, and must be the user of the process.
 *
 * Exits as the command does, with 128 + N if signal N ended it; 125 if it could not be started, 126 if it cannot be
 * executed, 127 if there is none.
 */
#ifndef EXEC_H
#define EXEC_H

#define EXEC_WORD "--exec"

/* `words`: the arguments after EXEC_WORD, of which there are at least four. */
_Noreturn void be_exec(char **words, char **all);

/* Says why the command cannot be started, and exits with 125. `error`: of errno; 0 for none. */
_Noreturn void fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line on stderr. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
