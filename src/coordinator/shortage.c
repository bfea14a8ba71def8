#include "shortage.h"

#include <errno.h>
#include <time.h>

#include "report.h"

enum { RETRY_MS = 100 };

static bool is_disk_full(int error) { return error == ENOSPC || error == EDQUOT; }

bool is_shortage(int error) {
  return is_disk_full(error) || error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE ||
         error == ENOLCK;
}

bool is_machines_fault(int error) {
  return is_shortage(error) || error == EIO || error == EINTR || error == ESTALE || error == ETIMEDOUT;
}

int64_t monotonic_ms(void) {
  struct timespec time = {0};
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void pause_ms(int ms) {
  struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000L * 1000L};
  (void)nanosleep(&pause, NULL);
}

bool wait_for_shortage(void) {
  /* All shortages of a start together have one bound. */
  static int64_t since = -1;
  int error = errno;
  if (since < 0) {
    since = monotonic_ms();
    report_waiting(error);
  }
  bool is_over = monotonic_ms() - since >= (is_disk_full(error) ? FULL_DISK_MS : SHORTAGE_MS);
  if (!is_over) pause_ms(RETRY_MS);
  errno = error;
  return !is_over;
}

bool try_again(void) { return (is_shortage(errno) || errno == EINTR) && wait_for_shortage(); }

void persist(const char *call, const char *path) {
  if (!try_again()) refuse_call(errno, call, path);
}
