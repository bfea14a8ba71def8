#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "shortage.h"

enum { OTHERS_WRITE = S_IWGRP | S_IWOTH };

/* A link is followed only if it is root's and in a directory where nobody else can put one. */
static int open_next(int directory, const char *name) {
  struct stat entry, around;
  if (fstatat(directory, name, &entry, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (!S_ISLNK(entry.st_mode)) return openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fstat(directory, &around) != 0) return -1;
  bool is_open_to_others = (around.st_mode & OTHERS_WRITE) != 0 && (around.st_mode & S_ISVTX) == 0;
  if (entry.st_uid != 0 || around.st_uid != 0 || is_open_to_others) {
    errno = EPERM;
    return -1;
  }
  return openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Opens a part of LOG_DIR/PROCESS/RUN, which is made if it is for us to make. */
static int open_part(int directory, const char *name, bool is_last, uid_t uid, gid_t gid) {
  struct stat around;
  if (fstat(directory, &around) != 0) return -1;
  bool is_users = around.st_uid == uid;
  if (!is_users) {
    /* The way is open to all; the user needs access to the last part only. */
    mode_t ours = is_last ? umask(0) : umask(OTHERS_WRITE);
    if (is_last) umask(ours);
    int made = mkdirat(directory, name, 0755);
    int error = errno;
    umask(ours);
    errno = error;
    if (made != 0 && error != EEXIST) return -1;
  }
  int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && !is_users && is_last && fchown(fd, uid, gid) != 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

void give_log_directory(const char *logs, uid_t uid, gid_t gid) {
  char path[MAX_PATH + 1];
  memcpy(path, logs, strlen(logs) + 1);
  size_t parts = 0;
  for (char *at = path; *at != 0; at++) parts += *at == '/';
  int fd;
  while ((fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) persist("open", "/");
  char *rest = path;
  for (char *name = strsep(&rest, "/"); rest != NULL && fd >= 0; parts--) {
    name = strsep(&rest, "/");
    if (parts > 3 && (*name == 0 || strcmp(name, ".") == 0)) continue;
    int inner;
    do inner = parts <= 3 ? open_part(fd, name, parts == 1, uid, gid) : open_next(fd, name);
    while (inner < 0 && try_again());
    /* The user's own attempt would blame the user. */
    if (inner < 0 && is_machines_fault(errno)) refuse_call(errno, "open", logs);
    close(fd);
    fd = inner;
  }
  if (fd >= 0) close(fd);
}

/* False if its parent is missing. */
static bool make_one(const char *path) {
  while (mkdir(path, 0755) != 0) {
    if (errno == ENOENT) return false;
    if (errno != EEXIST) {
      persist("mkdir", path);
      continue;
    }
    struct stat entry;
    while (stat(path, &entry) != 0) persist("stat", path);
    if (!S_ISDIR(entry.st_mode)) refuse_call(EEXIST, "mkdir", path);
    break;
  }
  return true;
}

void make_directory(const char *path) {
  char part[MAX_PATH + 1];
  size_t length = strlen(path);
  memcpy(part, path, length + 1);
  if (make_one(part)) return;
  /* Up to the first ancestor that is there, and down again. */
  for (;;) {
    char *slash = strrchr(part, '/');
    if (slash == NULL || slash == part) break;
    *slash = 0;
    if (make_one(part)) break;
  }
  while (strlen(part) < length) {
    part[strlen(part)] = '/';
    if (!make_one(part)) refuse_call(ENOENT, "mkdir", part);
  }
}

int open_log(char path[MAX_PATH + 1], const char *directory, const char *name) {
  int length = snprintf(path, MAX_PATH + 1, "%s/%s", directory, name);
  if (length < 0 || length > MAX_PATH) refuse_call(ENAMETOOLONG, "open", directory);
  /* A named pipe that nobody reads must not hold us up. */
  int fd;
  while ((fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644)) < 0) persist("open", path);
  return fd;
}

/* False if the name of the backup is too long. */
static bool backup_name(char name[MAX_PATH + 1], const struct log *log, unsigned number) {
  int length = snprintf(name, MAX_PATH + 1, "%s.%u", log->path, number);
  return length > 0 && length <= MAX_PATH;
}

static void rotate(struct log *log) {
  log->size = 0;
  if (log->backups == 0) {
    /* A log that cannot be emptied keeps growing. */
    if (ftruncate(log->fd, 0) != 0) return;
    return;
  }
  char from[MAX_PATH + 1], to[MAX_PATH + 1];
  /* The first gap ends the backups that have to move. */
  unsigned last = 0;
  struct stat entry;
  while (last < log->backups - 1 && backup_name(from, log, last + 1) && lstat(from, &entry) == 0) last++;
  /* A rename in place of another file would make ext4 write all of it to the disk. */
  if (backup_name(to, log, last + 1)) (void)unlink(to);
  for (; last >= 1; last--) {
    if (backup_name(from, log, last) && backup_name(to, log, last + 1)) (void)rename(from, to);
  }
  /* It is not there if it was not possible to open the last fresh one. */
  if (!backup_name(to, log, 1) || (rename(log->path, to) != 0 && errno != ENOENT)) return;
  /* If the directory was removed: continue with the old file. */
  int fresh = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
  if (fresh < 0) return;
  close(log->fd);
  log->fd = fresh;
}

void write_log(struct log *log, const char *bytes, size_t count) {
  while (count > 0) {
    size_t room = count;
    if (log->log_size > 0) {
      if (log->size >= log->log_size) rotate(log);
      if (room > log->log_size - log->size) room = (size_t)(log->log_size - log->size);
    }
    ssize_t written = write(log->fd, bytes, room);
    if (written <= 0) break;
    bytes += written;
    count -= (size_t)written;
    log->size += (uint64_t)written;
  }
  if (log->log_size > 0 && log->size >= log->log_size) rotate(log);
}
