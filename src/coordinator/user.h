/* The user of the process. */
#ifndef USER_H
#define USER_H

#include "job.h"

/* Changes supplementary groups, group and user for good; refuses if anything of root would be left. */
void become_user(const struct account *account);

/* For opening log files, because the user may have placed links in their directory. */
void look_like_user(const struct account *account);
void become_root_again(void);

#endif
