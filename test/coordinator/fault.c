/*
 * Preloaded by the coordinator in tests, makes its system calls fail. FAULT is one of
 * - `before N`, `inside N`, `after N`: SIGKILL at the write number N to its stream
 * - `full N`: of the writes of its stream and the syncs after them, the first N find no room, or room for a part only
 * - `unsynced`: the sync before its first write fails
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
static int shortages;

static long number_of(const char *fault) {
  const char *number = strchr(fault, ' ');
  return number == NULL ? 0 : atol(number);
}

static const char *fault_of(const char *kind) {
  const char *fault = getenv("FAULT");
  return fault != NULL && strncmp(fault, kind, strlen(kind)) == 0 ? fault : NULL;
}

static int is_write(const char *when) {
  const char *fault = fault_of(when);
  return fault != NULL && number_of(fault) == writes;
}

static int is_full(void) {
  const char *fault = fault_of("full");
  return fault != NULL && shortages++ < number_of(fault);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size) {
  if (fd != STREAM) return REAL(write)(fd, bytes, size);
  writes++;
  if (is_full()) {
    if (shortages % 2 == 0) return REAL(write)(fd, bytes, size / 2);
    errno = ENOSPC;
    return -1;
  }
  if (is_write("before")) raise(SIGKILL);
  if (is_write("inside")) {
    (void)!REAL(write)(fd, bytes, size / 2);
    raise(SIGKILL);
  }
  ssize_t count = REAL(write)(fd, bytes, size);
  if (is_write("after")) raise(SIGKILL);
  return count;
}

int fdatasync(int fd) {
  if (fd == STREAM && (writes == 0 ? fault_of("unsynced") != NULL : is_full())) {
    errno = writes == 0 ? EIO : ENOSPC;
    return -1;
  }
  return REAL(fdatasync)(fd);
}
