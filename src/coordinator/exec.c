#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "descriptors.h"
#include "sealed.h"
#include "target.h"
#include "terminal.h"

enum {
  /* Exit statuses of env(1) and others that run commands. */
  FAILED = 125,
  FOUND_NO_EXECUTABLE = 126,
  FOUND_NOTHING = 127,
  BY_SIGNAL = 128,
  /* KEYCTL_JOIN_SESSION_KEYRING of keyctl(2). */
  JOIN_SESSION_KEYRING = 1,
  /* _LINUX_CAPABILITY_VERSION_3 of capset(2). */
  CAPABILITIES_OF_64_BITS = 0x20080522,
};

/* As capset(2) takes them: the lower half of each set first. */
struct capability_header {
  uint32_t version;
  int pid;
};
struct capability_half {
  uint32_t effective;
  uint32_t permitted;
  uint32_t inheritable;
};

static void say(int error, const char *format, va_list values) {
  char text[4096 + 256];
  int length = vsnprintf(text, sizeof text, format, values);
  if (length < 0) return;
  dprintf(STDERR_FILENO, "thermos: %s%s%s\n", text, error == 0 ? "" : ": ", error == 0 ? "" : strerror(error));
}

void fail(int error, const char *format, ...) {
  va_list values;
  va_start(values, format);
  say(error, format, values);
  _exit(FAILED);
}

void warn(const char *format, ...) {
  va_list values;
  va_start(values, format);
  say(0, format, values);
  va_end(values);
}

static rlim_t lower_of(rlim_t one, rlim_t other) { return one < other ? one : other; }

/* Limits that we may not raise stay lower than those of the process. */
static void take_limits(const struct target *target) {
  char lower[512] = "";
  for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
    struct rlimit limit = target->limits[i], own;
    limit_kind kind = (limit_kind)i;
    if (setrlimit(kind, &limit) == 0) continue;
    if (getrlimit(kind, &own) != 0) fail(errno, "cannot read the own limits");
    limit.rlim_max = lower_of(limit.rlim_max, own.rlim_max);
    limit.rlim_cur = lower_of(limit.rlim_cur, limit.rlim_max);
    if (setrlimit(kind, &limit) != 0) fail(errno, "cannot set the limit of %s", LIMIT_NAMES[i]);
    size_t length = strlen(lower);
    (void)snprintf(lower + length, sizeof lower - length, "%s%s", length == 0 ? "" : ", ", LIMIT_NAMES[i]);
  }
  if (lower[0] != 0) warn("these limits are lower than those of the process, and may not be raised here: %s", lower);
}

/* How likely the command is to be killed for lack of memory, and its priority; without the right to lower them they stay. */
static void take_priorities(const struct target *target) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    ssize_t written = write(fd, target->oom_score_adj, strlen(target->oom_score_adj));
    (void)written;
    close(fd);
  }
  (void)setpriority(PRIO_PROCESS, 0, target->nice);
}

/* Namespaces that change the process itself. That of users comes last: we are not root after it. */
static const char *const KINDS[] = {"cgroup", "ipc", "uts", "net", "mnt"};
/* Namespaces that only children get. */
static const char *const CHILDRENS[] = {"pid", "time"};
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0], CHILDRENS_COUNT = sizeof CHILDRENS / sizeof CHILDRENS[0] };

static void enter(int namespace, const char *kind) {
  if (namespace < 0) return;
  if (setns(namespace, 0) != 0) fail(errno, "cannot enter the %s namespace of the process", kind);
  close(namespace);
}

static void enter_root(const struct target *target) {
  if (fchdir(target->root) != 0 || chroot(".") != 0) fail(errno, "cannot enter the root directory of the process");
}

/* Root may not be able to enter it on a file system of another machine; the user may. */
static bool enter_cwd(const struct target *target, bool is_last_try) {
  if (fchdir(target->cwd) == 0) return true;
  if (is_last_try) fail(errno, "cannot enter the working directory of the process");
  return false;
}

static void set_capabilities(uint64_t permitted, uint64_t inheritable) {
  struct capability_header header = {.version = CAPABILITIES_OF_64_BITS};
  struct capability_half data[2];
  for (int i = 0; i < 2; i++) {
    data[i].permitted = data[i].effective = (uint32_t)(permitted >> (32 * i));
    data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
  }
  if (syscall(SYS_capset, &header, data) != 0) fail(errno, "cannot give up the capabilities of root");
}

static uint64_t permitted_now(void) {
  struct capability_header header = {.version = CAPABILITIES_OF_64_BITS};
  struct capability_half data[2];
  if (syscall(SYS_capget, &header, data) != 0) fail(errno, "cannot read the own capabilities");
  return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

/* No capability that the process could not get. */
static void limit_capabilities(const struct target *target) {
  for (int i = 0; i < 64; i++) {
    if ((target->bounding >> i & 1) != 0 || prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 1) continue;
    if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) fail(errno, "cannot give up capability %d", i);
  }
  uint64_t permitted = permitted_now();
  set_capabilities(permitted, target->inheritable & permitted & target->bounding);
}

static bool is_user(const struct identity *identity) {
  uid_t uid, euid, suid;
  gid_t gid, egid, sgid;
  if (getresuid(&uid, &euid, &suid) != 0 || getresgid(&gid, &egid, &sgid) != 0) return false;
  if (uid != identity->uid || euid != identity->uid || suid != identity->uid) return false;
  if (gid != identity->gid || egid != identity->gid || sgid != identity->gid) return false;
  /* What cannot be undone. */
  return identity->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0);
}

static void become(const struct target *target, const struct identity *identity) {
  if (setresgid(identity->gid, identity->gid, identity->gid) != 0) {
    fail(errno, "cannot become group %u", identity->gid);
  }
  if (setresuid(identity->uid, identity->uid, identity->uid) != 0) fail(errno, "cannot become uid %u", identity->uid);
  /* The rules by which they go with the user can be switched off (SECBIT_NO_SETUID_FIXUP). */
  if (identity->uid != 0) set_capabilities(0, target->inheritable & target->bounding);
  if (!is_user(identity)) fail(0, "cannot become uid %u", identity->uid);
}

/* Root's keyring would give its keys to the command. */
static void leave_keyring(void) {
  if (syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL) >= 0) return;
  /* There are none, or nobody here may use them. */
  if (errno != ENOSYS && errno != EPERM && errno != EACCES) fail(errno, "cannot give up the keyring of root");
}

/* Why execvp(3) has failed: a directory of PATH that may not be searched says nothing about a command elsewhere. */
static int reason_of(const char *name, int error) {
  const char *path = getenv("PATH");
  if (error != EACCES || path == NULL || strchr(name, '/') != NULL) return error;
  for (const char *at = path; *at != 0; at += strspn(at, ":")) {
    char file[4096];
    size_t length = strcspn(at, ":");
    int written = snprintf(file, sizeof file, "%.*s/%s", (int)length, at, name);
    if (written > 0 && (size_t)written < sizeof file && access(file, F_OK) == 0) return error;
    at += length;
  }
  return ENOENT;
}

_Noreturn static void execute(const struct target *target, char **command) {
  extern char **environ;
  /* The command may be a link to one of them, by way of /proc/self/fd, and so lead out of what was entered. */
  close_above(STDERR_FILENO);
  (void)umask(target->umask);
  if (target->no_new_privileges) (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  reset_signals();
  /* PATH is that of the process, too. */
  environ = target->environment;
  const char *name = command[0];
  if (name == NULL) {
    char *const bash[] = {(char *)"bash", NULL}, *const sh[] = {(char *)"sh", NULL};
    name = "sh";
    (void)execvp(bash[0], bash);
    if (reason_of(bash[0], errno) == ENOENT) (void)execvp(sh[0], sh);
  } else {
    (void)execvp(name, command);
  }
  int error = reason_of(name, errno);
  dprintf(STDERR_FILENO, "thermos: %s: %s\n", name, strerror(error));
  _exit(error == ENOENT ? FOUND_NOTHING : FOUND_NO_EXECUTABLE);
}

/* The namespaces of a process that differ from ours: none if they are to be left alone. */
struct namespaces {
  bool is_entering;
  int kinds[KIND_COUNT];
  int childrens[CHILDRENS_COUNT];
  int user;
};

static struct namespaces open_namespaces(const struct target *target, bool is_entering) {
  struct namespaces found = {.is_entering = is_entering, .user = -1};
  for (int i = 0; i < KIND_COUNT; i++) found.kinds[i] = is_entering ? open_other_namespace(target, KINDS[i]) : -1;
  for (int i = 0; i < CHILDRENS_COUNT; i++) {
    found.childrens[i] = is_entering ? open_other_namespace(target, CHILDRENS[i]) : -1;
  }
  if (is_entering) found.user = open_other_namespace(target, "user");
  return found;
}

static bool leaves_root(const struct target *target, const struct namespaces *namespaces) {
  /* The last of them is that of mounts. */
  return namespaces->is_entering && (namespaces->kinds[KIND_COUNT - 1] >= 0 || has_other_root(target));
}

/* As root, in a child. */
_Noreturn static void be_command(const struct target *target, const struct namespaces *namespaces,
                                 const struct terminal *terminal, char **command) {
  if (setsid() < 0) fail(errno, "cannot start a session");
  take_terminal_of_own(terminal);
  take_priorities(target);
  take_limits(target);
  struct identity identity = target->identity;
  if (setgroups(identity.group_count, identity.groups) != 0) fail(errno, "cannot take the groups of the process");
  bool is_elsewhere = leaves_root(target, namespaces);
  for (int i = 0; i < KIND_COUNT; i++) enter(namespaces->kinds[i], KINDS[i]);
  if (is_elsewhere) enter_root(target);
  bool is_there = enter_cwd(target, false);
  if (namespaces->user >= 0) {
    enter(namespaces->user, "user");
    identity = identity_now(target);
  }
  limit_capabilities(target);
  become(target, &identity);
  leave_keyring();
  if (!is_there) (void)enter_cwd(target, true);
  execute(target, command);
}

/* The status of a child as that of a shell. */
static int exit_status(int status) { return WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status); }

_Noreturn static void run_as_root(const struct target *target, const struct namespaces *namespaces, char **command) {
  struct terminal terminal;
  make_terminal(&terminal, target->identity.uid);
  hold_signals();
  /* Whoever kills thermos does not leave a command that nobody sees. */
  (void)prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
  for (int i = 0; i < CHILDRENS_COUNT; i++) enter(namespaces->childrens[i], CHILDRENS[i]);
  pid_t pid = fork();
  if (pid < 0) fail(errno, "cannot start a process");
  if (pid == 0) be_command(target, namespaces, &terminal, command);
  _exit(exit_status(relay_terminal(&terminal, pid)));
}

static unsigned long number_of(const char *word) {
  char *end;
  errno = 0;
  unsigned long number = strtoul(word, &end, 10);
  if (errno != 0 || end == word || *end != 0) fail(0, "'%s' is not a number", word);
  return number;
}

void be_exec(char **words, char **all) {
  bool is_root = geteuid() == 0;
  close_above(STDERR_FILENO);
  if (!occupy_standard()) fail(errno, "/dev/null");
  /* Until we are somebody else, nobody may look into us: we hold what is root's. */
  if (is_root) (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  uid_t uid = (uid_t)number_of(words[2]);
  bool is_entering = strcmp(words[3], "enter") == 0;
  static struct target target;
  open_target(&target, (pid_t)number_of(words[0]), number_of(words[1]), uid);
  char **command = words + 4;
  if (is_root) {
    struct namespaces namespaces = open_namespaces(&target, is_entering);
    confirm_target(&target);
    if (uid == 0 && leaves_root(&target, &namespaces)) be_sealed(all);
    run_as_root(&target, &namespaces, command);
  }
  if (uid != getuid() || uid != geteuid()) fail(0, "only root can run a command as uid %u", uid);
  take_priorities(&target);
  take_limits(&target);
  (void)enter_cwd(&target, true);
  execute(&target, command);
}
