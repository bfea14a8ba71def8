/*
 * Preloaded by the coordinator in tests, makes its system calls fail. FAULT is one of
 * - `before N`, `inside N`, `after N`: SIGKILL at the write number N to its stream
 * - `full N`: of the writes of its stream and the syncs after them, the first N find no room, or room for a part only
 * - `unsynced`: the sync before its first write fails
 * - `call N ERROR FILE`: the call number N fails, of those below, in the coordinator or its child; FILE is made then
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONTROL = 0, STREAM = 3 };

static int calls;
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

/* Does this call fail? */
static int fails(void) {
  const char *fault = fault_of("call");
  int number, error;
  char file[4096];
  if (fault == NULL || sscanf(fault, "call %d %d %4095s", &number, &error, file) != 3 || ++calls != number) return 0;
  REAL(close)(REAL(open)(file, O_CREAT | O_WRONLY, 0644));
  errno = error;
  return 1;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  if (fd != STREAM) return REAL(write)(fd, bytes, size);
  if (fails()) return -1;
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
  if (fails()) return -1;
  if (fd == STREAM && (writes == 0 ? fault_of("unsynced") != NULL : is_full())) {
    errno = ENOSPC;
    return -1;
  }
  return REAL(fdatasync)(fd);
}

ssize_t read(int fd, void *bytes, size_t size) {
  return fd == CONTROL && fails() ? -1 : REAL(read)(fd, bytes, size);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
  va_end(rest);
  return fails() ? -1 : REAL(open)(path, flags, mode);
}

int fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  long argument = va_arg(rest, long);
  va_end(rest);
  return fails() ? -1 : REAL(fcntl)(fd, command, argument);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t at) { return fails() ? -1 : REAL(pread)(fd, bytes, size, at); }
int flock(int fd, int operation) { return fails() ? -1 : ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(fd, operation); }
int fstat(int fd, struct stat *stat) { return fails() ? -1 : REAL(fstat)(fd, stat); }
int ftruncate(int fd, off_t size) { return fails() ? -1 : REAL(ftruncate)(fd, size); }
int mkdir(const char *path, mode_t mode) { return fails() ? -1 : REAL(mkdir)(path, mode); }
int pipe2(int ends[2], int flags) { return fails() ? -1 : REAL(pipe2)(ends, flags); }
int dup2(int from, int to) { return fails() ? -1 : REAL(dup2)(from, to); }
int chdir(const char *path) { return fails() ? -1 : REAL(chdir)(path); }
pid_t fork(void) { return fails() ? -1 : REAL(fork)(); }
