#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptors.h"
#include "report.h"
#include "shortage.h"

enum {
  /* The capacity of a pipe, and that of a command that has filled it once. A user has only so much of it. */
  PIPE_BYTES = 64 * 1024,
  CHUNK = 256 * 1024,
  /* How long to wait for a full console. */
  STALLED_MS = 2000,
  RETRY_MS = 5,
  /* How often what is left in a pipe is read in vain. */
  MOST_FAILURES = 3,
};

static char chunk[CHUNK];

static bool has_console(const struct job *job) {
  return job->destination == TO_CONSOLE || job->destination == TO_BOTH;
}

void open_console(const struct job *job) {
  if (!has_console(job)) return;
  for (int fd = FD_STDOUT; fd <= FD_STDERR; fd++) {
    struct stat console;
    if (fstat(fd, &console) != 0 || !(S_ISFIFO(console.st_mode) || S_ISCHR(console.st_mode))) continue;
    /* Of our own, so that we need not wait for its reader, and others are not affected. */
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own;
    do own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    while (own < 0 && try_again());
    if (own < 0) continue;
    (void)dup3(own, fd, O_CLOEXEC);
    close(own);
  }
}

static int open_null(void) {
  int fd;
  while ((fd = open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC)) < 0) persist("open", "/dev/null");
  return fd;
}

static void open_pump(const struct job *job, struct output *output, int i, const char *name) {
  struct pump *to = &output->pumps[i];
  to->has_log = job->destination != TO_CONSOLE;
  if (to->has_log) {
    struct stat log;
    to->log.fd = open_log(to->log.path, job->logs, name);
    while (fstat(to->log.fd, &log) != 0) persist("fstat", to->log.path);
    to->log.size = (uint64_t)log.st_size;
    to->log.log_size = job->log_size;
    to->log.backups = job->backups;
  }
  to->console = has_console(job) ? (i == 0 ? FD_STDOUT : FD_STDERR) : -1;
  int ends[2];
  while (pipe2(ends, O_CLOEXEC) != 0) persist("pipe", NULL);
  while (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) persist("fcntl", NULL);
  to->fd = ends[0];
  output->command[i] = ends[1];
}

void open_output(const struct job *job, struct output *output) {
  static const char *const NAMES[] = {"stdout", "stderr"};
  make_directory(job->logs);
  for (int i = 0; i < 2; i++) {
    char path[MAX_PATH + 1];
    output->pumps[i].fd = -1;
    output->pumps[i].is_stalled = false;
    if (job->destination == TO_NONE) output->command[i] = open_null();
    else if (job->destination != TO_FILE || job->log_size > 0) open_pump(job, output, i, NAMES[i]);
    else {
      /* The command writes its files directly, and waits for room in a pipe. */
      output->command[i] = open_log(path, job->logs, NAMES[i]);
      while (fcntl(output->command[i], F_SETFL, O_APPEND) != 0) persist("fcntl", path);
    }
  }
}

/*
 * The reader of a console must neither end the process by going away nor block it by not reading: output that it does not
 * accept for a while is lost.
 */
static void write_console(int fd, bool *is_stalled, const char *bytes, size_t count) {
  int waited = 0;
  while (count > 0) {
    struct pollfd console = {.fd = fd, .events = POLLOUT};
    int ready = poll(&console, 1, *is_stalled ? 0 : STALLED_MS);
    if (ready <= 0) {
      *is_stalled = true;
      return;
    }
    /* A pipe that accepts anything accepts this much. */
    ssize_t written = write(fd, bytes, count < PIPE_BUF ? count : PIPE_BUF);
    if (written < 0 && errno == EAGAIN && !*is_stalled && waited < STALLED_MS) {
      pause_ms(RETRY_MS);
      waited += RETRY_MS;
      continue;
    }
    if (written < 0) {
      *is_stalled = true;
      return;
    }
    *is_stalled = false;
    waited = 0;
    bytes += written;
    count -= (size_t)written;
  }
}

/* False if the pipe is empty or at its end, or cannot be read now. */
static bool pass_on(struct pump *pump, size_t most) {
  ssize_t count = read(pump->fd, chunk, most < CHUNK ? most : CHUNK);
  if (count < 0 && errno != EAGAIN) pause_ms(RETRY_MS);
  if (count == 0) {
    close(pump->fd);
    pump->fd = -1;
  }
  if (count <= 0) return false;
  if (count == PIPE_BYTES) (void)fcntl(pump->fd, F_SETPIPE_SZ, CHUNK);
  if (pump->has_log) write_log(&pump->log, chunk, (size_t)count);
  if (pump->console >= 0) write_console(pump->console, &pump->is_stalled, chunk, (size_t)count);
  return true;
}

void pump(struct pump *pump) { (void)pass_on(pump, CHUNK); }

void drain(struct pump *pump) {
  if (pump->fd < 0) return;
  /* Not more, because another holder of the write end may never stop. */
  int left = 0;
  if (ioctl(pump->fd, FIONREAD, &left) != 0) left = CHUNK;
  int failures = 0;
  while (left > 0 && pump->fd >= 0 && failures < MOST_FAILURES) {
    if (pass_on(pump, (size_t)left)) left -= left < CHUNK ? left : CHUNK;
    else failures++;
  }
  if (pump->fd >= 0) close(pump->fd);
  pump->fd = -1;
}
