/* A process of a task that a command is to be like; see exec.h. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Who a process is, in the terms of our user namespace when it was read. */
struct identity {
  uid_t uid;
  gid_t gid;
  gid_t *groups;
  size_t group_count;
};

struct target {
  pid_t pid;
  /* /proc/PID. It stays that of this process: whatever is opened in it fails once the process has ended. */
  int directory;
  struct identity identity;
  mode_t umask;
  uint64_t bounding;
  uint64_t inheritable;
  bool no_new_privileges;
  int nice;
  char oom_score_adj[16];
  struct rlimit limits[RLIM_NLIMITS];
  int root;
  int cwd;
  /* NAME=VALUE, ends with NULL. */
  char **environment;
};

/* The type of their numbers. */
#ifdef __GLIBC__
typedef __rlimit_resource_t limit_kind;
#else
typedef int limit_kind;
#endif

/* Of each limit, by its number. */
extern const char *const LIMIT_NAMES[RLIM_NLIMITS];

/*
 * Opens the process with this pid, start (clock ticks since boot) and real uid, and reads what it is like. Fails if there
 * is no such process, or if it has the rights of a set-user-ID program.
 */
void open_target(struct target *target, pid_t pid, uint64_t ticks, uid_t uid);

/*
 * Reads again who it is and what it may do, when all else of it has been opened: it may have executed another program
 * meanwhile. Fails if it has got another uid, or the rights of a set-user-ID program.
 */
void confirm_target(struct target *target);

/* Who it is in the terms of our user namespace now. */
struct identity identity_now(const struct target *target);

/* Opens its namespace of that kind; -1 if it is ours, or if the kernel has no such namespaces. */
int open_other_namespace(const struct target *target, const char *kind);

/* Is its root directory different from ours? */
bool has_other_root(const struct target *target);

#endif
