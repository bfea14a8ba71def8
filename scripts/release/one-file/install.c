#include "install.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long another start may take to unpack, before this one unpacks too. */
#define PATIENCE_SECONDS 120

/* How long a version that nobody uses is kept: its tasks may be those of a container that we cannot see into. */
#define KEPT_SECONDS (7 * 24 * 60 * 60)

#define UNFINISHED "unpacking-"

_Noreturn void fail(const char *text) {
  (void)fprintf(stderr, "thermos: %s\n", text);
  exit(126);
}

static int open_directory(int at, const char *name) {
  return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Removes a directory and all that is in it, without following links. */
static void remove_tree(int at, const char *name) {
  int fd = open_directory(at, name);
  DIR *directory = fd == -1 ? NULL : fdopendir(fd);
  if (directory != NULL) {
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      if (unlinkat(fd, entry->d_name, 0) != 0) remove_tree(fd, entry->d_name);
    }
    closedir(directory);
  } else if (fd != -1) {
    close(fd);
  }
  (void)unlinkat(at, name, AT_REMOVEDIR);
}

/* Is the directory there, ours, and complete? */
static bool is_installed(const struct package *package, int place, int memory) {
  int fd = open_directory(place, package->hash);
  if (fd == -1) return false;
  bool good = is_private(fd) && is_complete(package, fd, memory != -1);
  struct stat status;
  /* The time of the directory tells when it was last used. */
  if (good && fstat(fd, &status) == 0 && time(NULL) - status.st_mtime > KEPT_SECONDS / 14) (void)futimens(fd, NULL);
  close(fd);
  return good;
}

/* Does a process run a program of PATH/NAME, or may one that we cannot see? */
static bool is_used(const char *path, const char *name) {
  char prefix[PATH_MAX];
  char real[PATH_MAX];
  if (realpath(path, real) == NULL) return true;
  int length = snprintf(prefix, sizeof prefix, "%s/%s/", real, name);
  DIR *processes = opendir("/proc");
  if (processes == NULL || length >= (int)sizeof prefix) return true;
  bool is_any = false;
  bool is_found = false;
  for (struct dirent *entry; !is_found && (entry = readdir(processes)) != NULL;) {
    char link[64];
    char program[PATH_MAX];
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || strlen(entry->d_name) > 20) continue;
    is_any = true;
    (void)snprintf(link, sizeof link, "/proc/%.20s/exe", entry->d_name);
    ssize_t bytes = readlink(link, program, sizeof program);
    is_found = bytes >= length && strncmp(program, prefix, (size_t)length) == 0;
  }
  closedir(processes);
  return is_found || !is_any;
}

static bool is_hash(const char *name) { return strlen(name) == HASH_BYTES && strspn(name, "0123456789abcdef") == HASH_BYTES; }

/* Removes what ended starts have left, and other versions that have not been used for long. */
static void clean(const struct package *package, const char *path, int place) {
  int fd = open_directory(place, ".");
  DIR *directory = fd == -1 ? NULL : fdopendir(fd);
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    const char *name = entry->d_name;
    struct stat status;
    if (strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0) {
      pid_t maker = (pid_t)strtol(name + strlen(UNFINISHED), NULL, 10);
      if (maker <= 0 || (kill(maker, 0) != 0 && errno == ESRCH)) remove_tree(place, name);
    } else if (is_hash(name) && strcmp(name, package->hash) != 0 &&
               fstatat(place, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
               time(NULL) - status.st_mtime > KEPT_SECONDS && !is_used(path, name)) {
      remove_tree(place, name);
    }
  }
  closedir(directory);
}

/* Only one start unpacks. Returns -1 without a lock, which costs only work. */
static int lock(int place) {
  int fd = openat(place, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd == -1) return -1;
  for (time_t end = time(NULL) + PATIENCE_SECONDS; flock(fd, LOCK_EX | LOCK_NB) != 0;) {
    if ((errno != EWOULDBLOCK && errno != EINTR) || time(NULL) > end) {
      close(fd);
      return -1;
    }
    (void)nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
  }
  return fd;
}

/* Why Node does not start, from what it printed; ends the program. */
static _Noreturn void explain(char *said, int status) {
  struct utsname host = {0};
  (void)uname(&host);
  said[strcspn(said, "\n")] = '\0';
  char text[1024];
  if (strstr(said, "GLIBC_") != NULL) {
    fail("the C library of this host is too old: glibc 2.28 or newer is needed (Debian 10, RHEL 8, Ubuntu 20.04); use "
         "--agent from another host");
  }
  if (strstr(said, "libstdc++") != NULL || strstr(said, "GLIBCXX_") != NULL) {
    fail("this host has no libstdc++.so.6, or too old a one: install the package libstdc++6 (Debian) or libstdc++ (RPM), or "
         "use --agent from another host");
  }
  (void)snprintf(text, sizeof text, "Node does not start on this host (Linux %s, %s %d%s%s); use --agent from another host",
                 host.release, WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), *said == '\0' ? "" : ": ", said);
  fail(text);
}

#define EXEC_FAILED 125

/*
 * Does the unpacked Node run, or that in memory, as far as to evaluate something? False with errno if programs may not run
 * there; ends the program if it never will.
 */
static bool can_run(const char *node, int memory) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  pid_t child = fork();
  if (child == 0) {
    char *words[] = {(char *)(size_t)node, "-p", "0", NULL};
    char *empty[] = {NULL};
    (void)dup2(ends[1], STDOUT_FILENO);
    (void)dup2(ends[1], STDERR_FILENO);
    if (memory != -1) (void)fexecve(memory, words, empty);
    else (void)execve(node, words, empty);
    int error = errno;
    ssize_t written = write(STDOUT_FILENO, &error, sizeof error);
    _exit(written == sizeof error ? EXEC_FAILED : 1);
  }
  close(ends[1]);
  char said[512] = "";
  size_t length = 0;
  for (ssize_t count; child > 0 && length < sizeof said - 1;) {
    count = read(ends[0], said + length, sizeof said - 1 - length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    length += (size_t)count;
  }
  close(ends[0]);
  int status = 0;
  if (child == -1 || waitpid(child, &status, 0) != child) return false;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != EXEC_FAILED) explain(said, status);
  int error = 0;
  memcpy(&error, said, sizeof error);
  if (error == ENOENT) fail("this host has no GNU C library, which Node needs (glibc 2.28 or newer); use --agent from another host");
  errno = error;
  return false;
}

static bool unpack_new(const struct package *package, const char *path, int place, int memory, char why[MAX_TEXT]) {
  char name[64];
  char node[PATH_MAX];
  (void)snprintf(name, sizeof name, UNFINISHED "%d", (int)getpid());
  remove_tree(place, name);
  int fd = mkdirat(place, name, 0700) == 0 ? open_directory(place, name) : -1;
  bool good = fd != -1 && unpack(package, fd, memory);
  if (good && snprintf(node, sizeof node, "%s/%s/lib/thermos/node", path, name) < (int)sizeof node) good = can_run(node, memory);
  if (!good && errno == EBADMSG) {
    remove_tree(place, name);
    fail("its own file was damaged: copy it again, and compare it with SHA256SUMS");
  }
  if (good && renameat(place, name, place, package->hash) != 0) {
    /* What is there was not complete, unless another start was faster. */
    if (!is_installed(package, place, memory)) {
      char old[80];
      (void)snprintf(old, sizeof old, "%s-old", name);
      good = renameat(place, package->hash, place, old) == 0 && renameat(place, name, place, package->hash) == 0;
      int error = errno;
      remove_tree(place, old);
      errno = error;
    }
  }
  int error = errno;
  remove_tree(place, name);
  if (fd != -1) close(fd);
  if (!good) {
    (void)snprintf(why, MAX_TEXT, "%s: %s", path, strerror(error));
  }
  return good;
}

bool install(const struct package *package, const char *path, int place, int memory, char library[PATH_MAX], char why[MAX_TEXT]) {
  if (snprintf(library, PATH_MAX, "%s/%s/lib/thermos", path, package->hash) >= PATH_MAX) return false;
  bool good = is_installed(package, place, memory);
  if (good && memory == -1) return true;
  /* A limit on the size of files must not end us. */
  struct sigaction before;
  (void)sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, &before);
  if (good) {
    good = unpack(package, -1, memory) && can_run(NULL, memory);
    if (!good) (void)snprintf(why, MAX_TEXT, "memory: %s", strerror(errno));
  } else {
    int held = lock(place);
    good = memory == -1 && is_installed(package, place, memory);
    if (!good) {
      clean(package, path, place);
      good = unpack_new(package, path, place, memory, why);
    }
    if (held != -1) close(held);
  }
  (void)sigaction(SIGXFSZ, &before, NULL);
  return good;
}
