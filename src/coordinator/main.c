/*
 * A coordinator: executes one run of one process, which its runner describes on FD_CONTROL. It does the same as
 * src/runner/coordinator/coordinate.ts, and also finds what daemonizes. Its arguments, `TASK PROCESS`, only serve readers
 * of `ps`. With other arguments it is an init, see init.h, or runs a command beside the processes of a task, see exec.h.
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
#include "exec.h"
#include "init.h"
#include "job.h"
#include "logs.h"
#include "output.h"
#include "report.h"
#include "shortage.h"
#include "stream.h"
#include "user.h"

static void wake(int number) { (void)number; }

static bool take_signals(void) {
  /* A signal to a whole control group also ends the command: survive it to record that end. */
  static const int SURVIVED[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGXFSZ};
  struct sigaction action = {.sa_handler = SIG_IGN};
  for (size_t i = 0; i < sizeof SURVIVED / sizeof SURVIVED[0]; i++) {
    if (sigaction(SURVIVED[i], &action, NULL) != 0) return false;
  }
  action.sa_handler = SIG_DFL;
  if (sigaction(SIGALRM, &action, NULL) != 0) return false;
  action.sa_handler = wake;
  if (sigaction(SIGCHLD, &action, NULL) != 0) return false;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  /* It is delivered only while we wait. */
  return sigprocmask(SIG_SETMASK, &blocked, NULL) == 0;
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

/*
 * Passes on whether something that the end of the run needs has succeeded. If it has failed for too long and not for a
 * shortage, we give up: whoever resumes the task must not wait for our lock for ever.
 */
static bool endure(int64_t *since, bool is_done) {
  if (is_done || is_shortage(errno) || errno == EINTR) *since = 0;
  else if (*since == 0) *since = monotonic_ms();
  else if (monotonic_ms() - *since > SHORTAGE_MS) _exit(STATUS_UNRECORDED);
  return is_done;
}

static void flush(struct records *records) {
  static int64_t since;
  while (records->written < records->count) {
    if (!endure(&since, append_record(records->process, &records->all[records->written]))) return;
    records->written++;
  }
}

static struct record end_of(int64_t seq, int status) {
  int code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  enum state state = code == 0 ? SUCCESS : code > 0 ? FAILED : KILLED;
  return (struct record){.seq = seq, .state = state, .time = now(), .number = code};
}

/* Reaps whatever has ended; 1 if the command has, -1 if it is not possible to say. */
static int reap(pid_t command, int *status) {
  int one;
  pid_t pid;
  bool is_over = false;
  while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
    if (pid != command) continue;
    *status = one;
    is_over = true;
  }
  return is_over ? 1 : pid;
}

/* Passes on what has come from the command within `retry`, or until a child ends. */
static void relay(struct output *output, const struct timespec *retry) {
  sigset_t none;
  sigemptyset(&none);
  struct pollfd pipes[2];
  for (int i = 0; i < 2; i++) pipes[i] = (struct pollfd){.fd = output->pumps[i].fd, .events = POLLIN};
  int ready = ppoll(pipes, 2, retry, &none);
  bool is_blind = ready < 0 && errno != EINTR;
  if (is_blind) pause_ms(RECORD_RETRY_MS);
  for (int i = 0; i < 2; i++) {
    if (pipes[i].fd >= 0 && (is_blind || (ready > 0 && pipes[i].revents != 0))) pump(&output->pumps[i]);
  }
}

/* Watches the command until its end is on disk. */
static void watch(pid_t command, struct output *output, struct records *records) {
  static const struct timespec RETRY = {RECORD_RETRY_MS / 1000, RECORD_RETRY_MS % 1000 * 1000000L};
  int64_t since = 0;
  bool is_known = true;
  while (records->count < 2 || records->written < 2) {
    relay(output, !is_known || records->written < records->count ? &RETRY : NULL);
    int status;
    int end = records->count < 2 ? reap(command, &status) : 0;
    is_known = endure(&since, end >= 0);
    if (end == 1) {
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
  while (waitpid(-1, NULL, 0) >= 0) continue;
}

int main(int count, char **words) {
  /* More words than a coordinator gets. */
  if (count > 3 && strcmp(words[1], INIT_WORD) == 0) be_init(words + 2);
  if (count > 5 && strcmp(words[1], EXEC_WORD) == 0) be_exec(words + 2, words);
  take_descriptors();
  if (!take_signals()) return STATUS_SHORTAGE;
  /* No start takes longer: whoever resumes the task would wait for our lock for ever. */
  (void)alarm(START_SECONDS);
  /* Our runner has done it, if it could. */
  (void)setsid();
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  lock_stream();
  report_locked();
  struct job job;
  if (!read_job(&job)) return STATUS_OK;
  int64_t seq = find_forked(job.head, job.process);
  if (seq < 0) return STATUS_OK;
  /*
   * Before anything is done that only FORKED records. After a failure, another sync could succeed though what was to be
   * written is lost, and the record is not ours to write again.
   */
  while (!sync_stream()) {
    if (errno != EINTR) refuse_record(errno);
  }

  open_console(&job);
  const struct account *account = job.account;
  if (account != NULL) {
    give_log_directory(job.logs, account->uid, account->gid);
    const char *failed = NULL;
    if (job.chroot == NULL) failed = become_user(account);
    else look_like_user(account);
    if (failed != NULL) refuse_call(errno, failed, NULL);
  }
  static struct output output;
  open_output(&job, &output);
  if (account != NULL && job.chroot != NULL) become_root_again();
  int logs;
  do logs = open(job.logs, O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (logs < 0 && try_again());
  /* From here on, we must not leave a command alone. */
  (void)alarm(0);
  pid_t command = start_command(&job, output.command);
  /* It is too late to refuse, and we must not go on as root. */
  if (account != NULL && job.chroot != NULL && become_user(account) != NULL) _exit(STATUS_UNRECORDED);
  for (int i = 0; i < 2; i++) close(output.command[i]);

  static struct records records;
  memcpy(records.process, job.process, strlen(job.process) + 1);
  records.all[0] = (struct record){.seq = seq + 1, .state = RUNNING, .time = now(), .number = command};
  records.count = 1;
  free_job(&job);
  flush(&records);
  close(FD_REPORT);
  watch(command, &output, &records);
  keep_descendants(logs);
  return STATUS_OK;
}
