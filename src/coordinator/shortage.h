/*
 * The one policy for calls that fail through no fault of the job; src/errors/shortage.ts has the same.
 *
 * - The machine has too few processes, files, locks or memory for it at the moment (EAGAIN, ENOMEM, EMFILE, ENFILE,
 *   ENOLCK): the runner is told, and the call is made again until SHORTAGE_MS are over.
 * - The same if a disk is full (ENOSPC, EDQUOT), until FULL_DISK_MS are over.
 * - Then, and for EIO at once, the start is refused with STATUS_SHORTAGE: the process did not fail, it was not started.
 * - A start that hangs (on a dead file server, or for a runner that is stopped) ends after START_SECONDS.
 * - The end of a command that was started must not be lost: its record waits for room or resources without a bound. If
 *   it fails for another reason for SHORTAGE_MS, we give up with STATUS_UNRECORDED.
 * - The sync of FORKED is made once: if it fails, the start is refused with STATUS_CANNOT_RECORD.
 * - The output of a command does not wait: it must not be blocked by a full disk.
 */
#ifndef SHORTAGE_H
#define SHORTAGE_H

#include <stdbool.h>
#include <stdint.h>

/* Tests have other bounds. */
#ifndef SHORTAGE_MS
#define SHORTAGE_MS (30 * 1000)
#endif
#ifndef FULL_DISK_MS
#define FULL_DISK_MS (10 * 1000)
#endif
#ifndef START_SECONDS
#define START_SECONDS 60
#endif
#ifndef RECORD_RETRY_MS
#define RECORD_RETRY_MS 1000
#endif

/* May the same call succeed later, without a change of the job? */
bool is_shortage(int error);

/* Is the machine to blame, and not the job? */
bool is_machines_fault(int error);

/* After a call that failed with errno: waits and returns true if it is to be made again, and keeps errno. */
bool try_again(void);

/* The same, and refuses the start if it is not: `while (CALL < 0) persist("open", path);` */
void persist(const char *call, const char *path);

/* The same, whatever the call failed with. */
bool wait_for_shortage(void);

/* Milliseconds of a clock that nobody sets. */
int64_t monotonic_ms(void);

void pause_ms(int ms);

#endif
