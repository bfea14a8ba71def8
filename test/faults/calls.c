/*
 * Preloaded by a Node program in tests, makes one of its system calls fail. Only calls that follow the first one below
 * the directory UNDER count, and of reads and writes only those of regular files; for a coordinator, those that follow
 * the first read of its job. FAULT is `ROLE NUMBER KIND ERROR HOW UNDER LOG`:
 * - ROLE: `runner`, or `coordinator` for those that a runner starts
 * - NUMBER, KIND: the call that fails with ERROR is that with this number, or, because numbers differ a little from run
 *   to run, the next one of this kind; 0: none
 * - HOW: `once`, or `always` for all of its kind from then on
 * - LOG: a file that gets a line `NUMBER KIND PATH` for each call, and `failed NUMBER KIND PATH` for one that fails
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

extern char **environ;

enum { CONTROL = 0 };

static const char *fault;
static const char *preload;
static int is_mine;
static int is_coordinator;
static int is_armed;
static int is_child;
static int number, error, is_lasting, calls;
static char wanted_kind[16];
static char under[1024], log_path[1024];
static const char *failed_kind;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void prepare(void) {
  char role[16], how[16];
  fault = getenv("FAULT");
  preload = getenv("LD_PRELOAD");
  if (fault == NULL) return;
  if (sscanf(fault, "%15s %d %15s %d %15s %1023s %1023s", role, &number, wanted_kind, &error, how, under, log_path) != 7)
    return;
  is_coordinator = getenv("FAULT_COORDINATOR") != NULL;
  is_mine = strcmp(role, is_coordinator ? "coordinator" : "runner") == 0;
  is_lasting = strcmp(how, "always") == 0;
}

static void note(const char *what, int call, const char *kind, const char *path) {
  char line[2200];
  int size = snprintf(line, sizeof line, "%s%d %s %s\n", what, call, kind, path);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0) return;
  (void)!syscall(SYS_write, fd, line, size);
  (void)syscall(SYS_close, fd);
}

/* Does this call fail? */
static int fails_at(int call, const char *kind, const char *path) {
  int is_hit = 0;
  if (failed_kind == NULL) is_hit = number > 0 && call >= number && strcmp(wanted_kind, kind) == 0;
  else is_hit = is_lasting && strcmp(failed_kind, kind) == 0;
  if (is_hit) failed_kind = kind;
  note(is_hit ? "failed " : "", call, kind, path);
  if (is_hit) errno = error;
  return is_hit;
}

/* Their number differs from run to run. */
static int is_about_process(const char *path) {
  return path != NULL && strncmp(path, "/proc/", 6) == 0 && path[6] >= '0' && path[6] <= '9';
}

static int fails(const char *kind, const char *path) {
  int before = errno;
  if (!is_mine || is_child) return 0;
  if (!is_armed && !is_coordinator && path != NULL && strncmp(path, under, strlen(under)) == 0) is_armed = 1;
  if (!is_armed || is_about_process(path)) return 0;
  int is_hit = fails_at(++calls, kind, path == NULL ? "-" : path);
  if (!is_hit) errno = before;
  return is_hit;
}

/* The same for an open file, if it is a regular one. */
static int fails_on(const char *kind, int fd) {
  int before = errno;
  if (!is_mine || is_child || !is_armed) return 0;
  struct stat stat;
  char link[64], path[1024];
  if (syscall(SYS_fstat, fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
    errno = before;
    return 0;
  }
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  long size = syscall(SYS_readlink, link, path, sizeof path - 1);
  path[size < 0 ? 0 : size] = '\0';
  errno = before;
  return fails(kind, path);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  int mode = va_arg(rest, int);
  va_end(rest);
  return fails("open", path) ? -1 : REAL(open64)(path, flags, mode);
}

ssize_t read(int fd, void *bytes, size_t size) {
  if (is_coordinator && fd == CONTROL) is_armed = 1;
  return fails_on("read", fd) ? -1 : REAL(read)(fd, bytes, size);
}
ssize_t readv(int fd, const struct iovec *parts, int count) {
  return fails_on("read", fd) ? -1 : REAL(readv)(fd, parts, count);
}
ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
  return fails_on("read", fd) ? -1 : REAL(pread64)(fd, bytes, size, at);
}
ssize_t write(int fd, const void *bytes, size_t size) {
  return fails_on("write", fd) ? -1 : REAL(write)(fd, bytes, size);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return fails_on("write", fd) ? -1 : REAL(writev)(fd, parts, count);
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  return fails_on("write", fd) ? -1 : REAL(pwrite64)(fd, bytes, size, at);
}
int fsync(int fd) { return fails_on("sync", fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails_on("sync", fd) ? -1 : REAL(fdatasync)(fd); }
int ftruncate64(int fd, off64_t size) { return fails_on("truncate", fd) ? -1 : REAL(ftruncate64)(fd, size); }
int futimens(int fd, const struct timespec times[2]) { return fails_on("utimes", fd) ? -1 : REAL(futimens)(fd, times); }
int fchown(int fd, uid_t user, gid_t group) { return fails("chown", "-") ? -1 : REAL(fchown)(fd, user, group); }
int chown(const char *path, uid_t user, gid_t group) {
  return fails("chown", path) ? -1 : REAL(chown)(path, user, group);
}
int utimensat(int fd, const char *path, const struct timespec times[2], int flags) {
  return fails("utimes", path) ? -1 : REAL(utimensat)(fd, path, times, flags);
}
int mkdir(const char *path, mode_t mode) { return fails("mkdir", path) ? -1 : REAL(mkdir)(path, mode); }
int rename(const char *from, const char *to) { return fails("rename", from) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return fails("unlink", path) ? -1 : REAL(unlink)(path); }
int rmdir(const char *path) { return fails("rmdir", path) ? -1 : REAL(rmdir)(path); }
int pipe2(int ends[2], int flags) { return fails("pipe", "-") ? -1 : REAL(pipe2)(ends, flags); }
int socketpair(int domain, int type, int protocol, int ends[2]) {
  return fails("pipe", "-") ? -1 : REAL(socketpair)(domain, type, protocol, ends);
}
int scandir64(const char *path, struct dirent64 ***names, int (*filter)(const struct dirent64 *),
              int (*compare)(const struct dirent64 **, const struct dirent64 **)) {
  return fails("list", path) ? -1 : REAL(scandir64)(path, names, filter, compare);
}

/* statx(2), of those that Node makes itself. */
long syscall(long call, ...) {
  long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  long words[6];
  va_list rest;
  va_start(rest, call);
  for (int i = 0; i < 6; i++) words[i] = va_arg(rest, long);
  va_end(rest);
  if (call == SYS_statx && *(const char *)words[1] != '\0' && fails("stat", (const char *)words[1])) return -1;
  return real(call, words[0], words[1], words[2], words[3], words[4], words[5]);
}

/* The program of the child counts as the next call of the parent. */
pid_t fork(void) {
  if (fails("fork", "-")) return -1;
  /* Node has handlers that make calls in the child. */
  is_child = 1;
  pid_t pid = REAL(fork)();
  if (pid == 0) return 0;
  is_child = 0;
  calls++;
  return pid;
}

int execvp(const char *file, char *const words[]) {
  static char role[] = "FAULT_COORDINATOR=1";
  static char library[1100], whole[2200];
  static char *variables[4096];
  int count = 0, is_starting = 0;
  for (int i = 0; words[i] != NULL; i++) is_starting = is_starting || strstr(words[i], "/coordinator.cjs") != NULL;
  for (char **variable = environ; *variable != NULL && count < 4000; variable++) {
    int is_ours = strncmp(*variable, "LD_PRELOAD=", 11) == 0 || strncmp(*variable, "FAULT", 5) == 0;
    if (!is_ours) variables[count++] = *variable;
  }
  if (is_starting && fault != NULL) {
    snprintf(library, sizeof library, "LD_PRELOAD=%s", preload);
    snprintf(whole, sizeof whole, "FAULT=%s", fault);
    variables[count++] = role;
    variables[count++] = library;
    variables[count++] = whole;
  }
  variables[count] = NULL;
  environ = variables;
  if (is_mine && is_armed && fails_at(calls + 1, "exec", file)) return -1;
  return REAL(execvp)(file, words);
}
