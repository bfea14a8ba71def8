/*
 * Preloaded by the coordinator in tests, makes its writes to its stream fail. FAULT is one of
 * - `before N`, `inside N`, `after N`: SIGKILL at the write number N
 * - `full N`: from the first write on, N calls write a part or nothing, or do not sync, for want of room
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STREAM = 3 };

static int writes;
static int failures;

static long number_of(const char *fault) {
  const char *number = strchr(fault, ' ');
  return number == NULL ? 0 : atol(number);
}

static const char *fault_of(void) {
  const char *fault = getenv("FAULT");
  return fault == NULL ? "" : fault;
}

static int is_mine(const char *when) {
  const char *fault = fault_of();
  return strncmp(fault, when, strlen(when)) == 0 && number_of(fault) == writes;
}

static int is_full(void) {
  const char *fault = fault_of();
  return strncmp(fault, "full", 4) == 0 && failures++ < number_of(fault);
}

ssize_t write(int fd, const void *bytes, size_t size) {
  ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  if (fd != STREAM) return real(fd, bytes, size);
  writes++;
  if (is_full()) {
    if (failures % 2 == 0) return real(fd, bytes, size / 2);
    errno = ENOSPC;
    return -1;
  }
  if (is_mine("before")) raise(SIGKILL);
  if (is_mine("inside")) {
    (void)!real(fd, bytes, size / 2);
    raise(SIGKILL);
  }
  ssize_t count = real(fd, bytes, size);
  if (is_mine("after")) raise(SIGKILL);
  return count;
}

int fdatasync(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  if (fd == STREAM && is_full()) {
    errno = ENOSPC;
    return -1;
  }
  return real(fd);
}
