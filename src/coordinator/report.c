#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "job.h"
#include "shortage.h"

/* Names and texts as libuv has them. */
struct error {
  int error;
  const char *name;
  const char *text;
};

static const struct error ERRORS[] = {
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
    {ETIMEDOUT, "ETIMEDOUT", "connection timed out"},
    {ETXTBSY, "ETXTBSY", "text file is busy"},
};

static struct error known(int error) {
  for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
    if (ERRORS[i].error == error) return ERRORS[i];
  }
  return (struct error){error, "UNKNOWN", strerror(error)};
}

/* If the runner is gone, nobody reads it, and the next one finds FORKED without a coordinator. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
  char text[MAX_PATH + 128];
  va_list rest;
  va_start(rest, format);
  int length = vsnprintf(text, sizeof text, format, rest);
  va_end(rest);
  size_t size = length < 0 ? 0 : (size_t)length;
  if (size >= sizeof text) size = sizeof text - 1;
  for (size_t at = 0; at < size;) {
    ssize_t count = write(FD_REPORT, text + at, size - at);
    if (count <= 0) return;
    at += (size_t)count;
  }
}

void report_locked(void) { say("locked " JOB_VERSION "\n"); }

void report_waiting(int error) {
  struct error why = known(error);
  say("waiting: %s: %s\n", why.name, why.text);
}

void refuse(const char *reason) {
  say("%s", reason);
  _exit(STATUS_CANNOT_START);
}

_Noreturn static void leave(int error) { _exit(is_machines_fault(error) ? STATUS_SHORTAGE : STATUS_CANNOT_START); }

void refuse_call(int error, const char *call, const char *path) {
  struct error why = known(error);
  if (path == NULL) say("%s: %s, %s", why.name, why.text, call);
  else say("%s: %s, %s '%s'", why.name, why.text, call, path);
  leave(error);
}

void refuse_command(int error, const char *program) {
  /* Node throws other errors before it knows the program. */
  bool is_named = error == EACCES || error == EAGAIN || error == EMFILE || error == ENFILE || error == ENOENT;
  say("spawn %s%s%s", is_named ? program : "", is_named ? " " : "", known(error).name);
  leave(error);
}

void refuse_record(int error) {
  say("%s", known(error).text);
  _exit(STATUS_CANNOT_RECORD);
}

void refuse_lock(int error) {
  say("%s", known(error).text);
  _exit(is_machines_fault(error) ? STATUS_SHORTAGE : STATUS_CANNOT_LOCK);
}
