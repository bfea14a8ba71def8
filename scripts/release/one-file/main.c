/*
 * thermos as one file: this program, and the whole package behind it, see package.h. It unpacks the package into a private
 * directory, once, and becomes the Node in there. So coordinators and runners are the same processes as of any other form,
 * and go on when this file is replaced or removed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "install.h"
#include "package.h"
#include "place.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif

/* An empty file in memory that can be executed: where vm.memfd_noexec is 1, that has to be said, and Linux before 6.3 refuses it. */
static int open_memory(void) {
  int fd = memfd_create("node", MFD_CLOEXEC | MFD_EXEC);
  return fd == -1 && errno == EINVAL ? memfd_create("node", MFD_CLOEXEC) : fd;
}

/* Ends the program if somebody else could change what is at a place. */
static enum verdict open_trusted(char path[PATH_MAX], int *fd, char why[MAX_TEXT]) {
  if (path[0] != '/') fail("THERMOS_CACHE_DIR is not an absolute path");
  enum verdict verdict = open_place(path, fd, why);
  if (verdict != FOREIGN) return verdict;
  char text[2 * MAX_TEXT];
  /* What somebody names may be anything. */
  const char *given = getenv("THERMOS_CACHE_DIR");
  const char *advice = given == NULL || *given == '\0' ? "remove it, or set" : "set";
  (void)snprintf(text, sizeof text, "%s, so thermos does not execute what is in it: %s THERMOS_CACHE_DIR to a directory that "
                 "only you can write", why, advice);
  fail(text);
}

/* Unpacks into the first place that serves: false with why the first does not. */
static bool find_place(const struct package *package, struct places *places, int memory, char library[PATH_MAX],
                       char first[MAX_TEXT]) {
  char why[MAX_TEXT];
  *first = '\0';
  for (int i = 0; i < places->count; i++) {
    int fd = -1;
    char *path = places->paths[i];
    enum verdict verdict = open_trusted(path, &fd, why);
    bool is_usable = verdict == USABLE || (verdict == WITHOUT_PROGRAMS && memory != -1);
    bool is_found = is_usable && install(package, path, fd, memory, library, why);
    if (fd != -1) close(fd);
    if (is_found) return true;
    if (*first == '\0') (void)snprintf(first, MAX_TEXT, "%s", why);
    if (memory != -1 && ftruncate(memory, 0) == 0) (void)lseek(memory, 0, SEEK_SET);
  }
  return false;
}

/*
 * Gives the directory with the program. Returns -1 if node is there too, or the file in memory that has it: where the disk
 * has no room for it or does not execute it. Ends the program without a place.
 */
static int find_library(const struct package *package, char library[PATH_MAX]) {
  struct places places;
  char why[MAX_TEXT];
  char again[MAX_TEXT];
  find_places(&places);
  if (find_place(package, &places, -1, library, why)) return -1;
  int memory = open_memory();
  if (memory != -1 && find_place(package, &places, memory, library, again)) return memory;
  char text[2 * MAX_TEXT];
  (void)snprintf(text, sizeof text, "there is no place for its 140 MB: %s; set THERMOS_CACHE_DIR to a directory of yours with room, "
                 "or use the archive .tar.xz", *why == '\0' ? "this user has no home" : why);
  fail(text);
}

/* As bin/run.js does: Node gives every signal its default effect when it starts. */
static void tell_ignored_signals(void) {
  unsigned long bits = 0;
  for (int number = 1; number < 32; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) bits |= 1UL << (number - 1);
  }
  char text[24];
  (void)snprintf(text, sizeof text, "%lu", bits);
  (void)setenv("THERMOS_IGNORED_SIGNALS", text, 1);
}

int main(int argc, char **argv) {
  struct package package;
  const char *problem = open_package(&package);
  if (problem != NULL) fail(problem);
  char library[PATH_MAX];
  int memory = find_library(&package, library);
  close(package.fd);

  char node[PATH_MAX + 16];
  char program[PATH_MAX + 16];
  char init[PATH_MAX + 32];
  (void)snprintf(node, sizeof node, "%s/node", library);
  (void)snprintf(program, sizeof program, "%s/bin/run.js", library);
  (void)snprintf(init, sizeof init, "%s/dist/coordinator", library);
  char **words = calloc((size_t)argc + 6, sizeof *words);
  if (words == NULL) fail("there is no memory");
  int count = 0;
  const char *wish = getenv("THERMOS_INIT");
  bool is_init = getpid() == 1 || (wish != NULL && *wish != '\0');
  if (is_init) {
    (void)unsetenv("THERMOS_INIT");
    words[count++] = init;
    words[count++] = "--init";
  }
  words[count++] = node;
  words[count++] = program;
  const char *name = argc > 0 ? strrchr(argv[0], '/') : NULL;
  name = name != NULL ? name + 1 : argc > 0 ? argv[0] : "";
  if (strcmp(name, "thermos-runner") == 0) words[count++] = "__runner";
  for (int i = 1; i < argc; i++) words[count++] = argv[i];
  tell_ignored_signals();
  if (memory != -1 && !is_init) (void)fexecve(memory, words, environ);
  else (void)execv(words[0], words);
  char text[PATH_MAX + 64];
  (void)snprintf(text, sizeof text, "%s cannot be executed: remove its directory, and start again", words[0]);
  fail(text);
}
