/* The user of the process. */
#ifndef USER_H
#define USER_H

#include "job.h"

/*
 * Changes supplementary groups, group and user for good. Returns NULL, or, with errno, the call that failed: then
 * something of root may be left, and nothing may be executed.
 */
const char *become_user(const struct account *account);

/* For opening log files, because the user may have placed links in their directory. Refuses if it cannot. */
void look_like_user(const struct account *account);
void become_root_again(void);

#endif
