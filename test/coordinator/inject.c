/*
 * Becomes the program PROGRAM and makes one of its system calls fail, whichever it is: a tracer counts them. FAULT is
 * `WHO NUMBER HOW ERROR FILE`:
 * - WHO: `parent`, the program itself, or `child`, what it forks until that executes another program
 * - NUMBER: the number of the call, from 1
 * - HOW: `once`: it fails with ERROR; `while`: it and all of its kind in both processes fail for a second; `short`: it
 *   reads or writes only a part; `before`, `after`: SIGKILL to the process; `torn`: SIGKILL after a part of it; `hang`:
 *   it does not return; `list`: nothing
 * - FILE: gets a line `WHO NUMBER CALL` for the call that is hit, and with `list` for all
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/elf.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern long ptrace(int, ...);

#if defined __x86_64__
typedef struct user_regs_struct registers;
#define NUMBER orig_rax
#define RESULT rax
#define THIRD rdx
#elif defined __aarch64__
typedef struct user_regs_struct registers;
#define RESULT regs[0]
#define THIRD regs[2]
#endif

#define NAME(name) {SYS_##name, #name}
static const struct {
  long number;
  const char *name;
} NAMES[] = {
    NAME(brk),          NAME(chdir),           NAME(chroot),      NAME(clock_nanosleep), NAME(clone),
    NAME(close),        NAME(close_range),     NAME(dup),         NAME(dup3),            NAME(execve),
    NAME(exit_group),   NAME(fchown),          NAME(fcntl),       NAME(fdatasync),       NAME(flock),
    NAME(fstat),        NAME(ftruncate),       NAME(getpid),      NAME(getrandom),       NAME(getresgid),
    NAME(getresuid),    NAME(ioctl),           NAME(kill),        NAME(lseek),           NAME(mkdirat),
    NAME(mmap),         NAME(mprotect),        NAME(munmap),      NAME(nanosleep),       NAME(newfstatat),
    NAME(openat),       NAME(pipe2),           NAME(ppoll),       NAME(prctl),           NAME(pread64),
    NAME(prlimit64),    NAME(read),            NAME(readlinkat),  NAME(rseq),            NAME(rt_sigaction),
    NAME(rt_sigprocmask), NAME(rt_sigreturn),  NAME(setgid),      NAME(setgroups),       NAME(setitimer),
    NAME(setregid),     NAME(setresgid),       NAME(setresuid),   NAME(setreuid),        NAME(setsid),
    NAME(setuid),       NAME(set_robust_list), NAME(set_tid_address), NAME(splice),      NAME(umask),
    NAME(wait4),        NAME(write),           NAME(writev),
#ifdef __x86_64__
    NAME(alarm),        NAME(arch_prctl),      NAME(dup2),        NAME(fork),            NAME(lstat),
    NAME(mkdir),        NAME(open),            NAME(poll),        NAME(readlink),        NAME(rename),
    NAME(stat),
#else
    NAME(renameat),
#endif
};

struct traced {
  pid_t pid;
  int is_child, calls, is_inside, is_hit;
  long number;
};

static char who[8], how[8], file[4096];
static int number, error;
static long hit_number = -1;
static struct timespec hit_at;

static void get(pid_t pid, registers *all) {
  struct iovec vector = {all, sizeof *all};
  ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &vector);
}

static void set(pid_t pid, registers *all) {
  struct iovec vector = {all, sizeof *all};
  ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &vector);
}

static void set_number(pid_t pid, registers *all, long other) {
#if defined __x86_64__
  all->NUMBER = (unsigned long)other;
  set(pid, all);
#else
  int value = (int)other;
  struct iovec vector = {&value, sizeof value};
  (void)all;
  ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &vector);
#endif
}

static void note(const struct traced *one) {
  char line[128], unknown[32];
  const char *name = unknown;
  snprintf(unknown, sizeof unknown, "%ld", one->number);
  for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
    if (NAMES[i].number == one->number) name = NAMES[i].name;
  }
  int size = snprintf(line, sizeof line, "%s %d %s\n", one->is_child ? "child" : "parent", one->calls, name);
  int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  (void)!write(fd, line, (size_t)size);
  close(fd);
}

static int is_still_failing(long call) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return strcmp(how, "while") == 0 && call == hit_number && now.tv_sec - hit_at.tv_sec < 2 &&
         (now.tv_sec - hit_at.tv_sec) * 1000 + (now.tv_nsec - hit_at.tv_nsec) / 1000000 < 1000;
}

static void enter(struct traced *one, const struct ptrace_syscall_info *info) {
  one->is_inside = 1;
  one->is_hit = 0;
  one->number = (long)info->entry.nr;
  one->calls++;
  if (strcmp(how, "list") == 0) note(one);
  int is_it = strcmp(who, one->is_child ? "child" : "parent") == 0 && one->calls == number;
  if (!is_it && !is_still_failing(one->number)) return;
  if (is_it) {
    note(one);
    hit_number = one->number;
    clock_gettime(CLOCK_MONOTONIC, &hit_at);
  }
  one->is_hit = 1;
  registers all;
  get(one->pid, &all);
  if (strcmp(how, "before") == 0) kill(one->pid, SIGKILL);
  else if (strcmp(how, "short") == 0 || strcmp(how, "torn") == 0) {
    if (all.THIRD > 1) all.THIRD /= 2;
    set(one->pid, &all);
  } else if (strcmp(how, "hang") == 0) {
    /* Without descriptors and a time, it waits for a signal. */
#if defined __x86_64__
    all.rdi = all.rsi = all.rdx = all.r10 = 0;
#else
    for (int i = 0; i < 4; i++) all.regs[i] = 0;
#endif
    set(one->pid, &all);
    set_number(one->pid, &all, SYS_ppoll);
  } else if (strcmp(how, "after") != 0 && one->number != SYS_close) {
    /* A descriptor is closed whatever close(2) returns. */
    set_number(one->pid, &all, -1);
  }
}

static void leave(struct traced *one) {
  one->is_inside = 0;
  if (!one->is_hit) return;
  if (strcmp(how, "after") == 0 || strcmp(how, "torn") == 0) kill(one->pid, SIGKILL);
  if (strcmp(how, "once") != 0 && strcmp(how, "while") != 0) return;
  registers all;
  get(one->pid, &all);
  all.RESULT = (unsigned long)-(long)error;
  set(one->pid, &all);
}

static void trace(pid_t parent) {
  struct traced all[2] = {{.pid = parent}, {.is_child = 1}};
  int is_begun = 0;
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) return;
    if (!WIFSTOPPED(status)) continue;
    struct traced *one = pid == parent ? &all[0] : &all[1];
    if (pid != parent) one->pid = pid;
    int signal = WSTOPSIG(status), event = status >> 16;
    long pass = 0;
    if (event == PTRACE_EVENT_EXEC) {
      if (one->is_child) {
        ptrace(PTRACE_DETACH, pid, 0, 0);
        continue;
      }
      is_begun = 1;
      one->calls = 0;
      /* The end of this execve is still to come. */
      one->is_inside = 1;
      one->is_hit = 0;
    } else if (event == 0 && signal == (SIGTRAP | 0x80)) {
      struct ptrace_syscall_info info;
      ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
      if (is_begun && info.op == PTRACE_SYSCALL_INFO_ENTRY) enter(one, &info);
      else if (is_begun) leave(one);
    } else if (event == 0) pass = signal;
    ptrace(PTRACE_SYSCALL, pid, 0, pass);
  }
}

int main(int count, char **arguments) {
  (void)count;
  const char *fault = getenv("FAULT"), *program = getenv("PROGRAM");
  if (fault == NULL || program == NULL || sscanf(fault, "%7s %d %7s %d %4095s", who, &number, how, &error, file) != 5)
    return 99;
  pid_t parent = getpid();
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return 99;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  pid_t first = fork();
  if (first == 0) {
    /* No child of the program. */
    if (fork() != 0) _exit(0);
    int notice = dup2(ready[1], 5);
    syscall(SYS_close_range, 0U, (unsigned)notice - 1, 0U);
    syscall(SYS_close_range, (unsigned)notice + 1, ~0U, 0U);
    setsid();
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    if (ptrace(PTRACE_SEIZE, parent, 0, options) != 0 || ptrace(PTRACE_INTERRUPT, parent, 0, 0) != 0) _exit(1);
    (void)!write(notice, "", 1);
    close(notice);
    trace(parent);
    _exit(0);
  }
  while (waitpid(first, NULL, 0) < 0 && errno == EINTR) continue;
  close(ready[1]);
  char byte;
  ssize_t got;
  do got = read(ready[0], &byte, 1);
  while (got < 0 && errno == EINTR);
  /* It cannot be traced here. */
  if (got != 1) return 98;
  unsetenv("FAULT");
  unsetenv("PROGRAM");
  execv(program, arguments);
  return 99;
}
