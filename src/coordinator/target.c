#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec.h"

enum {
  FIRST_BYTES = 64 * 1024,
  /* The kernel takes less from all arguments and variables of a command together. */
  MOST_BYTES = 16 * 1024 * 1024,
  /* Of /proc/PID/stat: fields after the command, which are counted from 3. */
  FIELD_NICE = 19,
  FIELD_START = 22,
  DEFAULT_UMASK = 022,
};

_Noreturn static void gone(const struct target *target) {
  fail(0, "process %d of the task has ended", target->pid);
}

/* The failure of something in its directory. */
_Noreturn static void cannot(const struct target *target, const char *name) {
  if (errno == ENOENT || errno == ESRCH) gone(target);
  fail(errno, "/proc/%d/%s", target->pid, name);
}

static int open_in(const struct target *target, const char *name, int flags) {
  int fd = openat(target->directory, name, flags | O_CLOEXEC);
  if (fd < 0) cannot(target, name);
  return fd;
}

/* All bytes of one of its files; a zero follows them. */
static char *read_file(const struct target *target, const char *name, size_t *length) {
  int fd = open_in(target, name, O_RDONLY);
  char *bytes = NULL;
  size_t size = FIRST_BYTES;
  *length = 0;
  for (;;) {
    bytes = realloc(bytes, size + 1);
    if (bytes == NULL) fail(ENOMEM, "/proc/%d/%s", target->pid, name);
    ssize_t count = read(fd, bytes + *length, size - *length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) cannot(target, name);
    if (count == 0) break;
    *length += (size_t)count;
    if (*length < size) continue;
    if (size >= MOST_BYTES) fail(0, "/proc/%d/%s is longer than that of any process", target->pid, name);
    size *= 4;
  }
  close(fd);
  bytes[*length] = 0;
  return bytes;
}

/* The start of a field of `stat` from 3 on; the command before may contain anything but ends with the last `)`. */
static const char *field_of(const char *stat, int number) {
  const char *at = strrchr(stat, ')');
  for (int i = 2; at != NULL && i < number; i++) at = strchr(at + 1, ' ');
  return at == NULL ? NULL : at + 1;
}

static void check_start(struct target *target, uint64_t ticks) {
  size_t length;
  char *stat = read_file(target, "stat", &length);
  const char *start = field_of(stat, FIELD_START);
  const char *nice = field_of(stat, FIELD_NICE);
  const char *state = field_of(stat, 3);
  if (start == NULL || nice == NULL || state == NULL || strtoull(start, NULL, 10) != ticks) gone(target);
  if (*state == 'Z' || *state == 'X') gone(target);
  target->nice = (int)strtol(nice, NULL, 10);
  free(stat);
}

/* The text after `NAME:\t` in `status`; NULL if the kernel does not say it. Newlines of the command are escaped there. */
static const char *line_of(const char *status, const char *name) {
  size_t length = strlen(name);
  for (const char *line = status; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, name, length) == 0 && strncmp(line + length, ":\t", 2) == 0) return line + length + 2;
  }
  return NULL;
}

/* A number of a line of `status`. */
static uint64_t number_in(const char *status, const char *name, int base, uint64_t otherwise) {
  const char *line = line_of(status, name);
  return line == NULL ? otherwise : strtoull(line, NULL, base);
}

static struct identity identity_in(const struct target *target, const char *status) {
  const char *uid = line_of(status, "Uid"), *gid = line_of(status, "Gid"), *line = line_of(status, "Groups");
  if (uid == NULL || gid == NULL || line == NULL) fail(0, "/proc/%d/status does not say who it is", target->pid);
  struct identity identity = {.uid = (uid_t)strtoul(uid, NULL, 10), .gid = (gid_t)strtoul(gid, NULL, 10)};
  size_t room = strcspn(line, "\n") / 2 + 1;
  identity.groups = calloc(room, sizeof *identity.groups);
  if (identity.groups == NULL) fail(ENOMEM, "the groups of process %d", target->pid);
  while (identity.group_count < room) {
    line += strspn(line, " ");
    if (*line < '0' || *line > '9') break;
    char *end;
    identity.groups[identity.group_count++] = (gid_t)strtoul(line, &end, 10);
    line = end;
  }
  return identity;
}

/* Are the real, effective, saved and file system ids the same? */
static bool is_one_id(const char *ids) {
  char *end;
  unsigned long first = strtoul(ids, &end, 10);
  for (int i = 0; i < 3; i++) {
    if (strtoul(end, &end, 10) != first) return false;
  }
  return true;
}

static unsigned long number_at(const char *bytes, size_t size) {
  uint32_t narrow;
  unsigned long wide;
  memcpy(&narrow, bytes, sizeof narrow);
  if (size == sizeof narrow) return narrow;
  memcpy(&wide, bytes, sizeof wide);
  return wide;
}

/* Is there an AT_SECURE that is set? `size`: of a number, which is smaller for a program of 32 bits. */
static bool has_secure(const char *entries, size_t length, size_t size) {
  for (size_t at = 0; at + 2 * size <= length; at += 2 * size) {
    if (number_at(entries + at, size) == AT_SECURE && number_at(entries + at + size, size) != 0) return true;
  }
  return false;
}

/* Has its program been started with more rights than whoever started it had? */
static bool is_secure(const struct target *target) {
  size_t length;
  char *entries = read_file(target, "auxv", &length);
  bool is = has_secure(entries, length, sizeof(unsigned long)) || has_secure(entries, length, sizeof(uint32_t));
  free(entries);
  return is;
}

/*
 * The environment of a set-user-ID program is that of the user who started it, with his PATH and LD_PRELOAD. It may be in
 * namespaces, and have groups, that it does not give to him, and he may stop it there. As a user, the command may run
 * beside a program that only got capabilities, because it does not get them.
 */
static void refuse_foreign_rights(const struct target *target, const char *status) {
  const char *uids = line_of(status, "Uid"), *gids = line_of(status, "Gid");
  if (uids == NULL || gids == NULL) return;
  bool is_root = strtoul(uids, NULL, 10) == 0;
  if (is_one_id(uids) && is_one_id(gids) && !(is_root && is_secure(target))) return;
  fail(0, "process %d runs a set-user-ID or set-group-ID program", target->pid);
}

static void read_status(struct target *target, uid_t uid) {
  size_t length;
  char *status = read_file(target, "status", &length);
  target->identity = identity_in(target, status);
  if (target->identity.uid != uid) {
    fail(0, "process %d belongs to uid %u, not %u", target->pid, target->identity.uid, uid);
  }
  refuse_foreign_rights(target, status);
  target->umask = (mode_t)number_in(status, "Umask", 8, DEFAULT_UMASK);
  target->bounding = number_in(status, "CapBnd", 16, 0);
  target->inheritable = number_in(status, "CapInh", 16, 0);
  target->no_new_privileges = number_in(status, "NoNewPrivs", 10, 0) != 0;
  free(status);
}

struct identity identity_now(const struct target *target) {
  size_t length;
  char *status = read_file(target, "status", &length);
  struct identity identity = identity_in(target, status);
  free(status);
  return identity;
}

static bool is_set(char **environment, size_t count, const char *variable) {
  size_t length = strcspn(variable, "=") + 1;
  for (size_t i = 0; i < count; i++) {
    if (strncmp(environment[i], variable, length) == 0) return true;
  }
  return false;
}

/* Its environment and, where it has no such variable, ours; TERM is ours if we have it: it belongs to the terminal. */
static void read_environment(struct target *target) {
  extern char **environ;
  size_t length, most = 0, count = 0;
  char *bytes = read_file(target, "environ", &length);
  for (size_t i = 0; i < length; i++) most += bytes[i] == 0;
  for (size_t i = 0; environ[i] != NULL; i++) most++;
  char **environment = calloc(most + 2, sizeof *environment);
  if (environment == NULL) fail(ENOMEM, "the environment of process %d", target->pid);
  bool has_terminal = getenv("TERM") != NULL;
  for (char *at = bytes; at < bytes + length; at += strlen(at) + 1) {
    if (strchr(at, '=') == NULL || (has_terminal && strncmp(at, "TERM=", 5) == 0)) continue;
    environment[count++] = at;
  }
  size_t own = count;
  for (size_t i = 0; environ[i] != NULL; i++) {
    if (!is_set(environment, own, environ[i])) environment[count++] = environ[i];
  }
  target->environment = environment;
}

/* In the order of their numbers (setrlimit(2)), as `limits` calls them. */
const char *const LIMIT_NAMES[RLIM_NLIMITS] = {
    "cpu time",       "file size",         "data size",     "stack size",
    "core file size", "resident set",      "processes",     "open files",
    "locked memory",  "address space",     "file locks",    "pending signals",
    "msgqueue size",  "nice priority",     "realtime priority", "realtime timeout",
};

/* A number or `unlimited`, and moves on behind it. */
static rlim_t limit_at(const char **at) {
  *at += strspn(*at, " ");
  if (strncmp(*at, "unlimited", 9) == 0) {
    *at += 9;
    return RLIM_INFINITY;
  }
  char *end;
  rlim_t limit = strtoull(*at, &end, 10);
  *at = end;
  return limit;
}

/* By the file: prlimit(2) asks for a right that root in a container does not have. */
static void read_limits(struct target *target) {
  size_t length;
  char *limits = read_file(target, "limits", &length);
  for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
    char name[40];
    int size = snprintf(name, sizeof name, "\nMax %s ", LIMIT_NAMES[i]);
    const char *at = strstr(limits, name);
    if (at == NULL) fail(0, "/proc/%d/limits does not say that of %s", target->pid, LIMIT_NAMES[i]);
    at += size;
    target->limits[i].rlim_cur = limit_at(&at);
    target->limits[i].rlim_max = limit_at(&at);
  }
  free(limits);
}

static void read_oom_score_adj(struct target *target) {
  int fd = open_in(target, "oom_score_adj", O_RDONLY);
  ssize_t count = read(fd, target->oom_score_adj, sizeof target->oom_score_adj - 1);
  target->oom_score_adj[count > 0 ? count : 0] = 0;
  close(fd);
}

void open_target(struct target *target, pid_t pid, uint64_t ticks, uid_t uid) {
  char path[32];
  (void)snprintf(path, sizeof path, "/proc/%d", pid);
  target->pid = pid;
  target->directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (target->directory < 0) cannot(target, "");
  check_start(target, ticks);
  read_status(target, uid);
  read_environment(target);
  read_oom_score_adj(target);
  target->root = open_in(target, "root", O_PATH | O_DIRECTORY);
  target->cwd = open_in(target, "cwd", O_PATH | O_DIRECTORY);
  read_limits(target);
}

void confirm_target(struct target *target) {
  free(target->identity.groups);
  read_status(target, target->identity.uid);
}

int open_other_namespace(const struct target *target, const char *kind) {
  char name[32], own[48];
  struct stat its, ours;
  (void)snprintf(name, sizeof name, "ns/%s", kind);
  (void)snprintf(own, sizeof own, "/proc/self/ns/%s", kind);
  if (stat(own, &ours) != 0 && errno == ENOENT) return -1;
  int fd = open_in(target, name, O_RDONLY);
  if (fstat(fd, &its) != 0) fail(errno, "/proc/%d/%s", target->pid, name);
  if (its.st_dev != ours.st_dev || its.st_ino != ours.st_ino) return fd;
  close(fd);
  return -1;
}

bool has_other_root(const struct target *target) {
  struct stat its, ours;
  if (fstat(target->root, &its) != 0 || stat("/", &ours) != 0) return true;
  return its.st_dev != ours.st_dev || its.st_ino != ours.st_ino;
}
