/* What the runner is told, on FD_REPORT. */
#ifndef REPORT_H
#define REPORT_H

/* Tells the runner that we hold the lock of the stream, and which jobs we understand. */
void report_locked(void);

/* Tells the runner for what we wait: "waiting: EMFILE: too many open files\n". */
void report_waiting(int error);

/* Says why the process cannot be started, and exits with STATUS_CANNOT_START. */
_Noreturn void refuse(const char *reason);

/*
 * The same for a system call that failed, in the words of Node: "ENOENT: no such file or directory, open 'PATH'". Exits
 * with STATUS_SHORTAGE if the machine is to blame.
 */
_Noreturn void refuse_call(int error, const char *call, const char *path);

/* The same for a command that could not be executed, in the words of Node: "spawn /bin/bash ENOENT". */
_Noreturn void refuse_command(int error, const char *program);

/* Exits because FORKED cannot be made durable. */
_Noreturn void refuse_record(int error);

/* Exits because the stream cannot be locked. */
_Noreturn void refuse_lock(int error);

#endif
