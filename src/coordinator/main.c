/*
 * A coordinator: executes one run of one process, which its runner describes on FD_CONTROL. It does the same as
 * src/runner/coordinator/coordinate.ts, and also finds what daemonizes. Its arguments, `TASK PROCESS`, only serve readers
 * of `ps`. With other arguments it is an init, see init.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "descriptors.h"
#include "init.h"
#include "job.h"
#include "logs.h"
#include "output.h"
#include "report.h"
#include "stream.h"
#include "user.h"

/* Retries, because the end of a process must not be lost to a disk that is full for a while. */
enum { RETRY_MS = 1000 };

static void wake(int number) { (void)number; }

static void take_signals(void) {
  /* A signal to a whole control group also ends the command: survive it to record that end. */
  static const int SURVIVED[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGXFSZ};
  struct sigaction action = {.sa_handler = SIG_IGN};
  for (size_t i = 0; i < sizeof SURVIVED / sizeof SURVIVED[0]; i++) (void)sigaction(SURVIVED[i], &action, NULL);
  action.sa_handler = wake;
  (void)sigaction(SIGCHLD, &action, NULL);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  /* It is delivered only while we wait. */
  (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

static double now(void) {
  struct timespec time = {0};
  (void)clock_gettime(CLOCK_REALTIME, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The records of a run after FORKED, in their order; the first `written` of `count` are on disk. */
struct records {
  char process[MAX_NAME + 1];
  struct record all[2];
  unsigned written;
  unsigned count;
};

static void flush(struct records *records) {
  while (records->written < records->count) {
    if (!append_record(records->process, &records->all[records->written])) return;
    records->written++;
  }
}

static struct record end_of(int64_t seq, int status) {
  int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  enum state state = code == 0 ? SUCCESS : code > 0 ? FAILED : KILLED;
  return (struct record){.seq = seq, .state = state, .time = now(), .number = code};
}

/* Reaps whatever has ended; true if the command has. */
static bool reap(pid_t command, int *status) {
  bool is_over = false;
  for (;;) {
    int one;
    pid_t pid = waitpid(-1, &one, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return is_over;
    if (pid != command) continue;
    *status = one;
    is_over = true;
  }
}

/* Watches the command until its end is on disk. */
static void watch(pid_t command, struct output *output, struct records *records) {
  sigset_t none;
  sigemptyset(&none);
  while (records->count < 2 || records->written < 2) {
    struct pollfd pipes[2];
    nfds_t count = 0;
    for (int i = 0; i < 2; i++) {
      if (output->pumps[i].fd >= 0) pipes[count++] = (struct pollfd){.fd = output->pumps[i].fd, .events = POLLIN};
    }
    struct timespec retry = {.tv_sec = RETRY_MS / 1000};
    int ready = ppoll(pipes, count, records->written < records->count ? &retry : NULL, &none);
    for (nfds_t i = 0; ready > 0 && i < count; i++) {
      for (int j = 0; pipes[i].revents != 0 && j < 2; j++) {
        if (output->pumps[j].fd == pipes[i].fd) pump(&output->pumps[j]);
      }
    }
    int status;
    if (reap(command, &status)) {
      records->all[1] = end_of(records->all[0].seq + 1, status);
      records->count = 2;
      for (int i = 0; i < 2; i++) drain(&output->pumps[i]);
    }
    flush(records);
  }
}

/*
 * Descendants of the command that are still alive are our children, also those that daemonized: as long as they are, we
 * stay their parent, without the stream, so that what ends the task finds them. The log directory as our output marks us
 * as a process of the task, now that we hold no lock.
 */
static void keep_descendants(int logs) {
  release_descriptors(logs);
  while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR) continue;
}

int main(int count, char **words) {
  /* More words than a coordinator gets. */
  if (count > 3 && strcmp(words[1], INIT_WORD) == 0) be_init(words + 2);
  take_descriptors();
  take_signals();
  /* Our runner has done it, if it could. */
  (void)setsid();
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  lock_stream();
  report_locked();
  struct job job;
  if (!read_job(&job)) return STATUS_OK;
  int64_t seq = find_forked(job.head, job.process);
  if (seq < 0) return STATUS_OK;
  /* Before anything is done that only FORKED tells of. */
  if (!sync_stream()) refuse_record(errno);

  open_console(&job);
  const struct account *account = job.account;
  if (account != NULL) {
    give_log_directory(job.logs, account->uid, account->gid);
    if (job.chroot == NULL) become_user(account);
    else look_like_user(account);
  }
  static struct output output;
  open_output(&job, &output);
  if (account != NULL && job.chroot != NULL) become_root_again();
  pid_t command = start_command(&job, output.command);
  if (account != NULL && job.chroot != NULL) become_user(account);
  for (int i = 0; i < 2; i++) close(output.command[i]);

  static struct records records;
  memcpy(records.process, job.process, strlen(job.process) + 1);
  records.all[0] = (struct record){.seq = seq + 1, .state = RUNNING, .time = now(), .number = command};
  records.count = 1;
  int logs = open(job.logs, O_PATH | O_DIRECTORY | O_CLOEXEC);
  free_job(&job);
  flush(&records);
  close(FD_REPORT);
  watch(command, &output, &records);
  keep_descendants(logs);
  return STATUS_OK;
}
