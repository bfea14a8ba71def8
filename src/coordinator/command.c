#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"
#include "report.h"
#include "shortage.h"
#include "user.h"

static const char BASH[] = "/bin/bash";

enum {
  RETRY_MS = 100,
  /* Exit statuses of chroot(1), which the original uses for this. */
  CHROOT_FAILED = 125,
  CHROOT_FOUND_NO_EXECUTABLE = 126,
  CHROOT_FOUND_NOTHING = 127,
};

void reset_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &action, NULL);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The caller's; Node has raised ours up to the hard limit. */
static void restore_limits(const struct job *job) {
  struct rlimit limit;
  if (job->open_files == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_max != RLIM_INFINITY && job->open_files > limit.rlim_max) return;
  limit.rlim_cur = (rlim_t)job->open_files;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Tells the starter why the command cannot be executed. */
_Noreturn static void give_up(int failure, int error) {
  /* It must not take our end for that of the command: if we cannot tell it, it waits until it kills us. */
  while (write(failure, &error, sizeof error) < 0) pause_ms(RETRY_MS);
  _exit(CHROOT_FOUND_NOTHING);
}

/* The words and the exit statuses of chroot(1) are the process's own. */
_Noreturn static void fail_in_chroot(int failure, int error, int status, const char *what, const char *path) {
  if (is_machines_fault(error)) give_up(failure, error);
  dprintf(STDERR_FILENO, "chroot: %s '%s': %s\n", what, path, strerror(error));
  _exit(status);
}

static void enter_chroot(const struct job *job, int failure) {
  while (chroot(job->chroot) != 0 || chdir("/") != 0) {
    if (!try_again()) fail_in_chroot(failure, errno, CHROOT_FAILED, "cannot change root directory to", job->chroot);
  }
  if (job->account != NULL && become_user(job->account) != NULL) give_up(failure, errno);
}

_Noreturn static void be_command(const struct job *job, const int outputs[2], int failure) {
  reset_signals();
  /* Whatever holds us up, the lock is the starter's. */
  close(FD_STREAM);
  while (dup2(outputs[0], STDOUT_FILENO) < 0 || dup2(outputs[1], STDERR_FILENO) < 0) {
    if (!try_again()) give_up(failure, errno);
  }
  if (job->umask >= 0) umask((mode_t)job->umask);
  restore_limits(job);
  while (job->chroot == NULL && chdir(job->cwd) != 0) {
    if (!try_again()) give_up(failure, errno);
  }
  if (job->chroot != NULL) enter_chroot(job, failure);
  char *arguments[] = {(char *)BASH, (char *)"-c", (char *)job->cmdline, NULL};
  do execve(BASH, arguments, job->environment);
  while (try_again());
  int error = errno;
  if (job->chroot == NULL) give_up(failure, error);
  int status = error == ENOENT ? CHROOT_FOUND_NOTHING : CHROOT_FOUND_NO_EXECUTABLE;
  fail_in_chroot(failure, error, status, "failed to run command", BASH);
}

/* Why the command cannot be executed; 0 if it is executed. */
static int result_of(pid_t pid, int failure) {
  struct pollfd end = {.fd = failure, .events = POLLIN};
  int ready;
  while ((ready = poll(&end, 1, START_SECONDS * 1000)) < 0 && wait_for_shortage()) continue;
  if (ready == 0) {
    /* It hangs before it is the command: it can execute nothing more. */
    (void)kill(pid, SIGKILL);
    return ETIMEDOUT;
  }
  int error = 0;
  ssize_t count;
  while ((count = read(failure, &error, sizeof error)) < 0 && wait_for_shortage()) continue;
  /* It may be executed or not. */
  if (count < 0) _exit(STATUS_UNRECORDED);
  return count == 0 ? 0 : error;
}

pid_t start_command(const struct job *job, const int outputs[2]) {
  int ends[2];
  while (pipe2(ends, O_CLOEXEC) != 0) {
    if (!try_again()) refuse_command(errno, BASH);
  }
  pid_t pid;
  while ((pid = fork()) < 0) {
    if (!try_again()) refuse_command(errno, BASH);
  }
  if (pid == 0) be_command(job, outputs, ends[1]);
  close(ends[1]);
  int error = result_of(pid, ends[0]);
  close(ends[0]);
  if (error != 0) refuse_command(error, BASH);
  return pid;
}
