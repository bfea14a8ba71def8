#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "report.h"
#include "user.h"

static const char BASH[] = "/bin/bash";

enum {
  /* How long to wait for room for another process, and how often to look. */
  SHORTAGE_MS = 30 * 1000,
  RETRY_MS = 100,
  /* Exit statuses of chroot(1), which the original uses for this. */
  CHROOT_FAILED = 125,
  CHROOT_FOUND_NO_EXECUTABLE = 126,
  CHROOT_FOUND_NOTHING = 127,
};

/* As for every new program: nothing is ignored or blocked. */
static void reset_signals(void) {
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

/* The words and the exit statuses of chroot(1) are the process's own. */
_Noreturn static void fail_in_chroot(int status, const char *what, const char *path, int error) {
  dprintf(STDERR_FILENO, "chroot: %s '%s': %s\n", what, path, strerror(error));
  _exit(status);
}

static void enter_chroot(const struct job *job) {
  if (chroot(job->chroot) != 0 || chdir("/") != 0)
    fail_in_chroot(CHROOT_FAILED, "cannot change root directory to", job->chroot, errno);
  if (job->account != NULL) become_user(job->account);
}

_Noreturn static void be_command(const struct job *job, const int outputs[2], int failure) {
  int error = 0;
  reset_signals();
  if (dup2(outputs[0], STDOUT_FILENO) < 0 || dup2(outputs[1], STDERR_FILENO) < 0) error = errno;
  if (job->umask >= 0) umask((mode_t)job->umask);
  restore_limits(job);
  if (error == 0 && job->chroot == NULL && chdir(job->cwd) != 0) error = errno;
  if (error == 0) {
    if (job->chroot != NULL) enter_chroot(job);
    char *arguments[] = {(char *)BASH, (char *)"-c", (char *)job->cmdline, NULL};
    execve(BASH, arguments, job->environment);
    error = errno;
    if (job->chroot != NULL) {
      int status = error == ENOENT ? CHROOT_FOUND_NOTHING : CHROOT_FOUND_NO_EXECUTABLE;
      fail_in_chroot(status, "failed to run command", BASH, error);
    }
  }
  /* The starter has closed its end only if it is gone. */
  (void)!write(failure, &error, sizeof error);
  _exit(CHROOT_FOUND_NOTHING);
}

static pid_t fork_patiently(void) {
  for (int waited = 0;; waited += RETRY_MS) {
    pid_t pid = fork();
    if (pid >= 0) return pid;
    if ((errno != EAGAIN && errno != ENOMEM) || waited >= SHORTAGE_MS) refuse_command(errno, BASH);
    struct timespec pause = {.tv_nsec = RETRY_MS * 1000L * 1000L};
    (void)nanosleep(&pause, NULL);
  }
}

pid_t start_command(const struct job *job, const int outputs[2]) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) refuse_command(errno, BASH);
  pid_t pid = fork_patiently();
  if (pid == 0) be_command(job, outputs, ends[1]);
  close(ends[1]);
  int error = 0;
  ssize_t count;
  do count = read(ends[0], &error, sizeof error);
  while (count < 0 && errno == EINTR);
  close(ends[0]);
  if (count == 0) return pid;
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  refuse_command(count == sizeof error ? error : EIO, BASH);
}
