/*
 * A disk that takes SLOW_SYNC_MS longer to sync: preloaded by a program that is linked dynamically, or linked into one
 * that is not, where it takes the place of the functions of the C library.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int slow(long call, int fd) {
  struct timespec left = {.tv_sec = SLOW_SYNC_MS / 1000, .tv_nsec = SLOW_SYNC_MS % 1000 * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
  return (int)syscall(call, fd);
}

int fsync(int fd) { return slow(SYS_fsync, fd); }
int fdatasync(int fd) { return slow(SYS_fdatasync, fd); }
