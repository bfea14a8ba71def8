#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shortage.h"

enum {
  /* Exit statuses of a shell. */
  FOUND_NO_EXECUTABLE = 126,
  FOUND_NOTHING = 127,
  BY_SIGNAL = 128,
};

/* Raised by our own faults, or by the terminal if we touch it: forwarded, they would say something else. */
static const int OURS[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU};

static void block_signals(sigset_t *before, sigset_t *awaited) {
  sigfillset(awaited);
  for (size_t i = 0; i < sizeof OURS / sizeof OURS[0]; i++) sigdelset(awaited, OURS[i]);
  (void)sigprocmask(SIG_SETMASK, awaited, before);
}

static bool has_terminal(void) { return tcgetpgrp(STDIN_FILENO) == getpgrp(); }

/* Gives the terminal to our process group; whoever is not in that of the terminal would be stopped for it. */
static void take_terminal(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
  (void)sigaction(SIGTTOU, &ignore, &before);
  (void)tcsetpgrp(STDIN_FILENO, getpgrp());
  (void)sigaction(SIGTTOU, &before, NULL);
}

/*
 * The program gets a process group of its own, and the terminal if that is ours: what keys send then reaches it once, and
 * not a second time from us.
 */
_Noreturn static void be_program(char **program, const sigset_t *mask, bool with_terminal) {
  if (setpgid(0, 0) == 0 && with_terminal) take_terminal();
  (void)sigprocmask(SIG_SETMASK, mask, NULL);
  execvp(program[0], program);
  int error = errno;
  dprintf(STDERR_FILENO, "thermos: %s: %s\n", program[0], strerror(error));
  _exit(error == ENOENT ? FOUND_NOTHING : FOUND_NO_EXECUTABLE);
}

/* Ends as the program has; the terminal is again for those who started us. */
_Noreturn static void end_as(int status, bool with_terminal) {
  if (with_terminal) take_terminal();
  exit(WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status));
}

/* Reaps whatever has ended; ends if the program has. */
static void reap(pid_t program, bool with_terminal) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) return;
    if (pid != program) continue;
    /* Ctrl-Z: nobody here could continue it. */
    if (WIFSTOPPED(status)) {
      if (WSTOPSIG(status) == SIGTSTP) (void)kill(program, SIGCONT);
    } else {
      end_as(status, with_terminal);
    }
  }
}

/* A machine that is short of processes or memory may have them again soon. */
static pid_t fork_patiently(void) {
  enum { RETRY_MS = 100 };
  int64_t since = monotonic_ms();
  bool is_said = false;
  for (;;) {
    pid_t pid = fork();
    if (pid >= 0) return pid;
    int error = errno;
    bool is_over = !is_shortage(error) || monotonic_ms() - since >= SHORTAGE_MS;
    if (!is_said || is_over) dprintf(STDERR_FILENO, "thermos: fork: %s\n", strerror(error));
    is_said = true;
    if (is_over) exit(FOUND_NO_EXECUTABLE);
    pause_ms(RETRY_MS);
  }
}

void be_init(char **program) {
  sigset_t before, awaited;
  block_signals(&before, &awaited);
  /* A process that ignores it does not learn that a child has ended. */
  struct sigaction usual = {.sa_handler = SIG_DFL};
  (void)sigaction(SIGCHLD, &usual, NULL);
  /* For a program that is not the first process of its namespace. */
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  bool with_terminal = has_terminal();
  pid_t pid = fork_patiently();
  if (pid == 0) be_program(program, &before, with_terminal);
  for (;;) {
    int number = sigwaitinfo(&awaited, NULL);
    if (number < 0) continue;
    if (number == SIGCHLD) reap(pid, with_terminal);
    else (void)kill(pid, number);
  }
}
