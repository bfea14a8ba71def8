#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shortage.h"

static int is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/* Kernels before 5.9 lack close_range. */
void close_above(int last) {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, (unsigned)last + 1, ~0U, 0U) == 0) return;
#endif
  long limit = sysconf(_SC_OPEN_MAX);
  if (limit < 0 || limit > 65536) limit = 65536;
  for (int fd = last + 1; fd < limit; fd++) close(fd);
}

bool occupy_standard(void) {
  for (int fd = 0; fd < 3; fd++) {
    if (!is_open(fd) && open("/dev/null", O_RDWR) != fd) return false;
  }
  return true;
}

_Noreturn static void leave(void) { _exit(is_machines_fault(errno) ? STATUS_SHORTAGE : STATUS_USAGE); }

void take_descriptors(void) {
  struct stat stream;
  if (fstat(FD_STREAM, &stream) != 0 || !is_open(FD_CONTROL) || !is_open(FD_REPORT)) leave();
  if (!S_ISREG(stream.st_mode)) _exit(STATUS_USAGE);
  close_above(FD_REPORT);
  if (!occupy_standard()) leave();
  for (int fd = FD_STREAM; fd <= FD_REPORT; fd++) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) leave();
  }
}

void release_descriptors(int output) {
  for (int fd = FD_CONTROL; fd <= FD_REPORT; fd++) close(fd);
  if (output >= 0) (void)dup2(output, FD_STDOUT);
  close_above(FD_REPORT);
}
