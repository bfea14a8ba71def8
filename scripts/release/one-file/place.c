#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The home of this user as passwd(5) has it: a static program has no getpwuid(3). */
static bool home_of_user(char home[PATH_MAX]) {
  FILE *file = fopen("/etc/passwd", "re");
  if (file == NULL) return false;
  bool is_found = false;
  for (char line[4096]; !is_found && fgets(line, sizeof line, file) != NULL;) {
    char *fields[6];
    char *at = line;
    int count = 0;
    while (count < 6 && at != NULL) fields[count++] = strsep(&at, ":");
    if (count < 6 || at == NULL) continue;
    char *end;
    unsigned long uid = strtoul(fields[2], &end, 10);
    is_found = *fields[2] != '\0' && *end == '\0' && uid == geteuid() && fields[5][0] == '/' &&
               snprintf(home, PATH_MAX, "%s", fields[5]) < PATH_MAX;
  }
  fclose(file);
  return is_found;
}

static const char *path_in(const char *variable) {
  const char *value = getenv(variable);
  return value != NULL && value[0] == '/' && strlen(value) < PATH_MAX / 2 ? value : NULL;
}

static void add(struct places *places, const char *parent, const char *rest) {
  if (parent == NULL || places->count == MAX_PLACES) return;
  if (snprintf(places->paths[places->count], PATH_MAX, "%s%s", parent, rest) < PATH_MAX) places->count++;
}

void find_places(struct places *places) {
  *places = (struct places){.count = 0};
  const char *given = getenv("THERMOS_CACHE_DIR");
  if (given != NULL && *given != '\0') {
    add(places, given, "");
    return;
  }
  if (geteuid() == 0) {
    add(places, "/var/cache/thermos", "");
    add(places, "/run/thermos", "");
  } else {
    char home[PATH_MAX];
    const char *cache = path_in("XDG_CACHE_HOME");
    const char *start = path_in("HOME");
    if (start == NULL && home_of_user(home)) start = home;
    if (cache != NULL) add(places, cache, "/thermos");
    else add(places, start, "/.cache/thermos");
    add(places, path_in("XDG_RUNTIME_DIR"), "/thermos");
  }
  char memory[64];
  (void)snprintf(memory, sizeof memory, "/dev/shm/thermos-%u", (unsigned)geteuid());
  add(places, memory, "");
}

static bool is_trusted(const struct stat *status) { return status->st_uid == 0 || status->st_uid == geteuid(); }

static bool others_write(const struct stat *status) { return (status->st_mode & (S_IWGRP | S_IWOTH)) != 0; }

/* Nobody else can replace an entry of the directory that is ours. */
static bool keeps_entries(const struct stat *status) {
  return is_trusted(status) && (!others_write(status) || (status->st_mode & S_ISVTX) != 0);
}

/* Checks all directories above the last name of an absolute path. False with the first that somebody else can change. */
static bool is_safe_way(const char *path, char bad[PATH_MAX]) {
  for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(bad, path, length);
    bad[length] = '\0';
    struct stat status;
    if (stat(bad, &status) != 0) return true;
    if (!keeps_entries(&status)) return false;
  }
  return true;
}

/* Makes the directories of a path that are missing: those above can be entered by everybody only for root. */
static void make_all(const char *path) {
  char part[PATH_MAX];
  (void)snprintf(part, sizeof part, "%s", path);
  for (char *slash = part + 1; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
    *slash = '\0';
    (void)mkdir(part, geteuid() == 0 ? 0755 : 0700);
  }
  (void)mkdir(part, 0700);
}

bool is_private(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_uid == geteuid() && !others_write(&status);
}

static enum verdict refuse(char why[MAX_TEXT], enum verdict verdict, const char *path, const char *reason) {
  (void)snprintf(why, MAX_TEXT, "%s: %s", path, reason);
  return verdict;
}

enum verdict open_place(char path[PATH_MAX], int *fd, char why[MAX_TEXT]) {
  char bad[PATH_MAX];
  char real[PATH_MAX];
  make_all(path);
  int error = errno;
  *fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (*fd == -1) {
    if (errno == ELOOP || errno == ENOTDIR) return refuse(why, FOREIGN, path, "it is not a directory");
    return refuse(why, UNUSABLE, path, errno == ENOENT ? strerror(error) : strerror(errno));
  }
  struct stat status;
  if (fstat(*fd, &status) != 0) return refuse(why, UNUSABLE, path, strerror(errno));
  if (status.st_uid != geteuid()) return refuse(why, FOREIGN, path, "it belongs to another user");
  if (others_write(&status)) return refuse(why, FOREIGN, path, "other users can write there");
  struct stat found;
  if (realpath(path, real) == NULL || stat(real, &found) != 0 || found.st_dev != status.st_dev || found.st_ino != status.st_ino)
    return refuse(why, UNUSABLE, path, "it was replaced meanwhile");
  if (!is_safe_way(path, bad) || !is_safe_way(real, bad)) {
    (void)snprintf(why, MAX_TEXT, "%s: other users can write in %s, which is above it", path, bad);
    return UNUSABLE;
  }
  /* From here on without links: somebody else may own one. */
  (void)snprintf(path, PATH_MAX, "%s", real);
  struct statvfs system;
  if (fstatvfs(*fd, &system) == 0 && (system.f_flag & ST_NOEXEC) != 0)
    return refuse(why, WITHOUT_PROGRAMS, path, "its file system is mounted noexec");
  return USABLE;
}
