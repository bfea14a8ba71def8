#include "user.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "shortage.h"

static bool is_user(const struct account *account) {
  uid_t uid, euid, suid;
  gid_t gid, egid, sgid;
  if (getresuid(&uid, &euid, &suid) != 0 || getresgid(&gid, &egid, &sgid) != 0) return false;
  if (uid != account->uid || euid != account->uid || suid != account->uid) return false;
  if (gid != account->gid || egid != account->gid || sgid != account->gid) return false;
  /* What cannot be undone. */
  return account->uid == 0 || (setuid(0) != 0 && seteuid(0) != 0);
}

const char *become_user(const struct account *account) {
  while (setgroups(account->group_count, account->groups) != 0) {
    if (!try_again()) return "setgroups";
  }
  while (setresgid(account->gid, account->gid, account->gid) != 0) {
    if (!try_again()) return "setgid";
  }
  while (setresuid(account->uid, account->uid, account->uid) != 0) {
    if (!try_again()) return "setuid";
  }
  if (is_user(account)) return NULL;
  errno = EPERM;
  return "the change of the user";
}

void look_like_user(const struct account *account) {
  while (setgroups(account->group_count, account->groups) != 0) persist("setgroups", NULL);
  while (setegid(account->gid) != 0) persist("setegid", NULL);
  while (seteuid(account->uid) != 0) persist("seteuid", NULL);
}

void become_root_again(void) {
  while (seteuid(0) != 0) persist("seteuid", NULL);
  while (setegid(0) != 0) persist("setegid", NULL);
}
