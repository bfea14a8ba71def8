#include "user.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "report.h"

static void check(int result, const char *call) {
  if (result != 0) refuse_call(errno, call, NULL);
}

static bool is_user(const struct account *account) {
  uid_t uid, euid, suid;
  gid_t gid, egid, sgid;
  if (getresuid(&uid, &euid, &suid) != 0 || getresgid(&gid, &egid, &sgid) != 0) return false;
  if (uid != account->uid || euid != account->uid || suid != account->uid) return false;
  if (gid != account->gid || egid != account->gid || sgid != account->gid) return false;
  /* What cannot be undone. */
  return account->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0);
}

void become_user(const struct account *account) {
  check(setgroups(account->group_count, account->groups), "setgroups");
  check(setresgid(account->gid, account->gid, account->gid), "setgid");
  check(setresuid(account->uid, account->uid, account->uid), "setuid");
  if (!is_user(account)) refuse("the user cannot be changed completely");
}

void look_like_user(const struct account *account) {
  check(setgroups(account->group_count, account->groups), "setgroups");
  check(setegid(account->gid), "setegid");
  check(seteuid(account->uid), "seteuid");
}

void become_root_again(void) {
  check(seteuid(0), "seteuid");
  check(setegid(0), "setegid");
}
