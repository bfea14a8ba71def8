#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "job.h"

/* Names and texts as libuv has them. */
static const struct {
  int error;
  const char *name;
  const char *text;
} ERRORS[] = {
    {E2BIG, "E2BIG", "argument list too long"},
    {EACCES, "EACCES", "permission denied"},
    {EAGAIN, "EAGAIN", "resource temporarily unavailable"},
    {EDQUOT, "EDQUOT", "disk quota exceeded"},
    {EEXIST, "EEXIST", "file already exists"},
    {EFBIG, "EFBIG", "file too large"},
    {EINVAL, "EINVAL", "invalid argument"},
    {EIO, "EIO", "i/o error"},
    {EISDIR, "EISDIR", "illegal operation on a directory"},
    {ELOOP, "ELOOP", "too many symbolic links encountered"},
    {EMFILE, "EMFILE", "too many open files"},
    {ENAMETOOLONG, "ENAMETOOLONG", "name too long"},
    {ENFILE, "ENFILE", "file table overflow"},
    {ENODEV, "ENODEV", "no such device"},
    {ENOENT, "ENOENT", "no such file or directory"},
    {ENOEXEC, "ENOEXEC", "exec format error"},
    {ENOLCK, "ENOLCK", "no locks available"},
    {ENOMEM, "ENOMEM", "not enough memory"},
    {ENOSPC, "ENOSPC", "no space left on device"},
    {ENOTDIR, "ENOTDIR", "not a directory"},
    {ENXIO, "ENXIO", "no such device or address"},
    {EPERM, "EPERM", "operation not permitted"},
    {EROFS, "EROFS", "read-only file system"},
    {ESTALE, "ESTALE", "stale file handle"},
    {ETXTBSY, "ETXTBSY", "text file is busy"},
};

static const char *name_of(int error) {
  for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
    if (ERRORS[i].error == error) return ERRORS[i].name;
  }
  return "UNKNOWN";
}

static const char *text_of(int error) {
  for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
    if (ERRORS[i].error == error) return ERRORS[i].text;
  }
  return strerror(error);
}

/* If the runner is gone, the next one finds FORKED without a coordinator. */
static void say(const char *text) {
  size_t left = strlen(text);
  while (left > 0) {
    ssize_t count = write(FD_REPORT, text, left);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text += count;
    left -= (size_t)count;
  }
}

void report_locked(void) { say("locked " JOB_VERSION "\n"); }

void refuse(const char *reason) {
  say(reason);
  _exit(STATUS_CANNOT_START);
}

void refuse_call(int error, const char *call, const char *path) {
  say(name_of(error));
  say(": ");
  say(text_of(error));
  say(", ");
  say(call);
  if (path != NULL) {
    say(" '");
    say(path);
    say("'");
  }
  _exit(STATUS_CANNOT_START);
}

void refuse_command(int error, const char *program) {
  say("spawn ");
  /* Node throws other errors before it knows the program. */
  if (error == EACCES || error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOENT) {
    say(program);
    say(" ");
  }
  say(name_of(error));
  _exit(STATUS_CANNOT_START);
}

void refuse_record(int error) {
  say(text_of(error));
  _exit(STATUS_CANNOT_RECORD);
}

void refuse_lock(int error) {
  say(text_of(error));
  _exit(STATUS_CANNOT_LOCK);
}
