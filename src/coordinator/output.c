#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "report.h"

enum {
  CHUNK = 64 * 1024,
  /* How long to wait for a full console. */
  STALLED_MS = 2000,
  RETRY_MS = 5,
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
    int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0) continue;
    (void)dup3(own, fd, O_CLOEXEC);
    close(own);
  }
}

static int open_null(void) {
  int fd = open("/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) refuse_call(errno, "open", "/dev/null");
  return fd;
}

static void open_pump(const struct job *job, struct output *output, int i, const char *name) {
  struct pump *to = &output->pumps[i];
  to->has_log = job->destination != TO_CONSOLE;
  if (to->has_log) {
    struct stat log;
    to->log.fd = open_log(to->log.path, job->logs, name);
    to->log.size = fstat(to->log.fd, &log) == 0 ? (uint64_t)log.st_size : 0;
    to->log.log_size = job->log_size;
    to->log.backups = job->backups;
  }
  to->console = has_console(job) ? (i == 0 ? FD_STDOUT : FD_STDERR) : -1;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) refuse_call(errno, "pipe", NULL);
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) refuse_call(errno, "fcntl", NULL);
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
    /* The command writes its files directly. */
    else if (job->destination == TO_FILE && job->log_size == 0) output->command[i] = open_log(path, job->logs, NAMES[i]);
    else open_pump(job, output, i, NAMES[i]);
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
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      *is_stalled = true;
      return;
    }
    /* A pipe that accepts anything accepts this much. */
    ssize_t written = write(fd, bytes, count < PIPE_BUF ? count : PIPE_BUF);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN && !*is_stalled && waited < STALLED_MS) {
      struct timespec pause = {.tv_nsec = RETRY_MS * 1000L * 1000L};
      (void)nanosleep(&pause, NULL);
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

/* False if the pipe is empty or at its end. */
static bool pass_on(struct pump *pump, size_t most) {
  ssize_t count;
  do count = read(pump->fd, chunk, most < CHUNK ? most : CHUNK);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) return false;
  if (count <= 0) {
    close(pump->fd);
    pump->fd = -1;
    return false;
  }
  if (pump->has_log) write_log(&pump->log, chunk, (size_t)count);
  if (pump->console >= 0) write_console(pump->console, &pump->is_stalled, chunk, (size_t)count);
  return true;
}

void pump(struct pump *pump) { (void)pass_on(pump, CHUNK); }

void drain(struct pump *pump) {
  if (pump->fd < 0) return;
  /* Not more, because another holder of the write end may never stop. */
  int left = 0;
  if (ioctl(pump->fd, FIONREAD, &left) != 0) left = 0;
  while (left > 0 && pass_on(pump, (size_t)left)) left -= left < CHUNK ? left : CHUNK;
  if (pump->fd >= 0) close(pump->fd);
  pump->fd = -1;
}
