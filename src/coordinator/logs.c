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

enum { OTHERS_WRITE = S_IWGRP | S_IWOTH };

/* A link is followed only if it is root's and in a directory where nobody else can put one. */
static int open_next(int directory, const char *name) {
  struct stat entry, around;
  if (fstatat(directory, name, &entry, AT_SYMLINK_NOFOLLOW) != 0) return -1;
  if (!S_ISLNK(entry.st_mode)) return openat(directory, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (entry.st_uid != 0 || fstat(directory, &around) != 0 || around.st_uid != 0) return -1;
  if ((around.st_mode & OTHERS_WRITE) != 0 && (around.st_mode & S_ISVTX) == 0) return -1;
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
    if (made != 0 && error != EEXIST) return -1;
  }
  int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && !is_users && is_last && fchown(fd, uid, gid) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

void give_log_directory(const char *logs, uid_t uid, gid_t gid) {
  char path[MAX_PATH + 1];
  memcpy(path, logs, strlen(logs) + 1);
  size_t parts = 0;
  for (char *at = path; *at != 0; at++) parts += *at == '/';
  int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  char *rest = path;
  for (char *name = strsep(&rest, "/"); rest != NULL && fd >= 0; parts--) {
    name = strsep(&rest, "/");
    int inner;
    if (parts <= 3) inner = open_part(fd, name, parts == 1, uid, gid);
    else if (*name == 0 || strcmp(name, ".") == 0) continue;
    else inner = open_next(fd, name);
    close(fd);
    fd = inner;
  }
  if (fd >= 0) close(fd);
}

/* False if its parent is missing. */
static bool make_one(const char *path) {
  if (mkdir(path, 0755) == 0) return true;
  int error = errno;
  if (error == ENOENT) return false;
  struct stat entry;
  if (error == EEXIST) {
    if (stat(path, &entry) != 0) refuse_call(errno, "stat", path);
    if (S_ISDIR(entry.st_mode)) return true;
  }
  refuse_call(error, "mkdir", path);
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
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) refuse_call(errno, "open", path);
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
  for (; last >= 1; last--) {
    if (backup_name(from, log, last) && backup_name(to, log, last + 1)) (void)rename(from, to);
  }
  if (!backup_name(to, log, 1) || rename(log->path, to) != 0) return;
  /* If the directory was removed: continue with the old file. */
  int fresh = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
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
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    bytes += written;
    count -= (size_t)written;
    log->size += (uint64_t)written;
  }
  if (log->log_size > 0 && log->size >= log->log_size) rotate(log);
}
