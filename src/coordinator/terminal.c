#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "exec.h"

enum {
  PIECE = 16 * 1024,
  /* A background process may go on writing when the command has ended. */
  MOST_LAST_PIECES = 64,
  BY_SIGNAL = 128,
};

static const struct timespec FOREGROUND_LOOK = {.tv_nsec = 200 * 1000 * 1000};
static const struct timespec ROOM_WAIT = {.tv_sec = 1};

/* Passed on to the command. Keys send the first two, and then to all that is in the foreground. */
static const int PASSED[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
static const int OURS[] = {SIGCHLD, SIGWINCH, SIGCONT};
enum { PASSED_COUNT = sizeof PASSED / sizeof PASSED[0], OURS_COUNT = sizeof OURS / sizeof OURS[0] };

static volatile sig_atomic_t came[NSIG];

static void note(int number) { came[number] = 1; }

static bool take(int number) {
  bool is_there = came[number] != 0;
  came[number] = 0;
  return is_there;
}

void hold_signals(void) {
  struct sigaction action = {.sa_handler = note};
  sigset_t held;
  sigemptyset(&held);
  for (int i = 0; i < PASSED_COUNT + OURS_COUNT; i++) {
    int number = i < PASSED_COUNT ? PASSED[i] : OURS[i - PASSED_COUNT];
    sigaddset(&held, number);
    (void)sigaction(number, &action, NULL);
  }
  action.sa_handler = SIG_IGN;
  /* The terminal is gone: writing says so. */
  (void)sigaction(SIGPIPE, &action, NULL);
  (void)sigprocmask(SIG_SETMASK, &held, NULL);
}

/* The descriptor by which our terminal is written. */
static int output_of(const struct terminal *terminal) {
  if (terminal->is_ours[1]) return 1;
  return terminal->is_ours[2] ? 2 : 0;
}

static void copy_size(const struct terminal *terminal) {
  struct winsize size;
  if (ioctl(output_of(terminal), TIOCGWINSZ, &size) == 0) (void)ioctl(terminal->master, TIOCSWINSZ, &size);
}

void make_terminal(struct terminal *terminal, uid_t uid) {
  terminal->is_needed = false;
  for (int fd = 0; fd < 3; fd++) {
    terminal->is_ours[fd] = isatty(fd) == 1;
    terminal->is_needed |= terminal->is_ours[fd];
  }
  if (!terminal->is_needed) return;
  terminal->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal->master < 0 || grantpt(terminal->master) != 0 || unlockpt(terminal->master) != 0) {
    fail(errno, "cannot make a terminal for the command");
  }
  const char *name = ptsname(terminal->master);
  terminal->slave = name == NULL ? -1 : open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal->slave < 0) fail(errno, "cannot open the terminal for the command");
  /* So that the command can open it by its name. */
  if (fchown(terminal->slave, uid, (gid_t)-1) != 0) fail(errno, "cannot give the terminal to uid %u", uid);
  struct termios settings;
  if (tcgetattr(output_of(terminal), &settings) == 0) {
    /* Unless we can take all processing from our own terminal, it is done there. */
    if (!terminal->is_ours[0]) settings.c_oflag &= ~(tcflag_t)OPOST;
    (void)tcsetattr(terminal->slave, TCSANOW, &settings);
  }
  copy_size(terminal);
}

void take_terminal_of_own(const struct terminal *terminal) {
  if (!terminal->is_needed) return;
  if (ioctl(terminal->slave, TIOCSCTTY, 0) != 0) fail(errno, "the command cannot have the terminal");
  for (int fd = 0; fd < 3; fd++) {
    if (terminal->is_ours[fd] && dup2(terminal->slave, fd) < 0) _exit(EXIT_FAILURE);
  }
}

/* Our own terminal: raw while we are in its foreground, so that every key reaches the command. */
static struct termios usual;
static bool is_raw;

static bool in_foreground(void) { return tcgetpgrp(STDIN_FILENO) == getpgrp(); }

/* True if keys are for us. */
static bool make_raw(const struct terminal *terminal) {
  if (!terminal->is_ours[0] || !in_foreground()) return false;
  if (!is_raw) {
    if (tcgetattr(STDIN_FILENO, &usual) != 0) return false;
    /* While we were in the background, it may have had those of a shell that edits a line. */
    (void)tcsetattr(terminal->slave, TCSANOW, &usual);
  }
  struct termios raw = usual;
  cfmakeraw(&raw);
  is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0 || is_raw;
  return true;
}

/* SIGTERM or SIGHUP has come: nobody may be there to read what is shown. */
static bool is_asked;

static void make_usual(void) {
  if (is_raw && in_foreground()) (void)tcsetattr(STDIN_FILENO, is_asked ? TCSANOW : TCSADRAIN, &usual);
}

/* Nobody sees the command any more. The end of its terminal ends what runs there. */
_Noreturn static void hang_up(void) {
  make_usual();
  _exit(BY_SIGNAL + SIGHUP);
}

/* Keys that the command has not read yet. */
static char typed[PIECE];
static size_t typed_count;

/* False if our terminal is gone. */
static bool read_keys(void) {
  ssize_t count = read(STDIN_FILENO, typed + typed_count, sizeof typed - typed_count);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  typed_count += (size_t)count;
  return count > 0;
}

static void pass_keys(int master) {
  ssize_t count = write(master, typed, typed_count);
  if (count <= 0) return;
  typed_count -= (size_t)count;
  memmove(typed, typed + count, typed_count);
}

/* In the place of a pid, which may be somebody else's by now. */
static const pid_t ENDED = 0;

static void pass_signals(const struct terminal *terminal, pid_t command) {
  for (int i = 0; i < PASSED_COUNT; i++) {
    int number = PASSED[i];
    if (!take(number)) continue;
    is_asked |= number == SIGTERM || number == SIGHUP;
    bool is_key = number == SIGINT || number == SIGQUIT;
    if (command != ENDED) (void)kill(is_key ? -command : command, number);
    if (number == SIGHUP && terminal->is_needed) hang_up();
  }
}

/*
 * Our terminal, which may take nothing for as long as it likes: a write must not keep signals from us. The descriptor that
 * we share with others has to stay as it is.
 */
static int screen;

static void open_screen(const struct terminal *terminal) {
  char path[32];
  (void)snprintf(path, sizeof path, "/proc/self/fd/%d", output_of(terminal));
  screen = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (screen < 0) screen = output_of(terminal);
}

/* What a terminal that is gone does not show is lost, and what it does not show for a while when we are asked to end. */
static void show(const struct terminal *terminal, pid_t command, const char *bytes, size_t length) {
  static bool is_stuck;
  sigset_t none;
  sigemptyset(&none);
  while (length > 0) {
    ssize_t count = write(screen, bytes, length);
    if (count >= 0) {
      is_stuck = false;
      bytes += count;
      length -= (size_t)count;
    } else if (errno == EAGAIN) {
      if (is_asked && is_stuck) return;
      struct pollfd room = {.fd = screen, .events = POLLOUT};
      is_stuck = ppoll(&room, 1, is_asked ? &ROOM_WAIT : NULL, &none) == 0;
      pass_signals(terminal, command);
    } else if (errno != EINTR) {
      return;
    }
  }
}

/* Shows what the command has written. False if there is nothing at the moment. */
static bool pass_output(const struct terminal *terminal, pid_t command) {
  static char bytes[PIECE];
  ssize_t count = read(terminal->master, bytes, sizeof bytes);
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) return false;
  show(terminal, command, bytes, (size_t)count);
  return true;
}

int relay_terminal(const struct terminal *terminal, pid_t command) {
  sigset_t none;
  sigemptyset(&none);
  /* The other side stays open here, too: the command may close it and open it again. */
  if (terminal->is_needed) {
    (void)fcntl(terminal->master, F_SETFL, O_RDWR | O_NONBLOCK);
    open_screen(terminal);
  }
  bool has_keys = terminal->is_needed && make_raw(terminal);
  for (;;) {
    int status;
    pid_t ended = waitpid(command, &status, WNOHANG);
    if (ended == command) {
      if (terminal->is_needed) {
        for (int i = 0; i < MOST_LAST_PIECES && pass_output(terminal, ENDED); i++) continue;
        make_usual();
      }
      return status;
    }
    if (ended < 0 && errno != EINTR) fail(errno, "cannot wait for the command");
    struct pollfd polled[2] = {
        {.fd = has_keys ? STDIN_FILENO : -1, .events = typed_count < sizeof typed ? POLLIN : 0},
        {.fd = terminal->is_needed ? terminal->master : -1, .events = (short)(typed_count > 0 ? POLLIN | POLLOUT : POLLIN)},
    };
    /* A shell may put us into the foreground without a signal. */
    bool is_waiting = terminal->is_ours[0] && !has_keys;
    int ready = ppoll(polled, 2, is_waiting ? &FOREGROUND_LOOK : NULL, &none);
    if (is_waiting) has_keys = make_raw(terminal);
    pass_signals(terminal, command);
    if (take(SIGWINCH) && terminal->is_needed) copy_size(terminal);
    if (take(SIGCONT) && terminal->is_needed) {
      has_keys = make_raw(terminal);
      copy_size(terminal);
    }
    (void)take(SIGCHLD);
    if (ready <= 0) continue;
    if (polled[0].revents != 0 && ((polled[0].revents & POLLIN) == 0 || !read_keys())) hang_up();
    if ((polled[1].revents & POLLOUT) != 0) pass_keys(terminal->master);
    if ((polled[1].revents & POLLIN) != 0) (void)pass_output(terminal, command);
  }
}
