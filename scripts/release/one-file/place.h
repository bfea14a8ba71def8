/* The directories that the package may be unpacked into. */
#pragma once
#include <limits.h>
#include <stdbool.h>

#define MAX_PLACES 3
#define MAX_TEXT (PATH_MAX + 256)

struct places {
  char paths[MAX_PLACES][PATH_MAX];
  int count;
};

/* The directories for this user, the best first; only the one that THERMOS_CACHE_DIR names, if it does. */
void find_places(struct places *places);

enum verdict {
  USABLE,
  /* Files may be there, but programs do not run there, as `why` says. */
  WITHOUT_PROGRAMS,
  /* Another place may serve: `why` says what is wrong with this one. */
  UNUSABLE,
  /* Somebody else could change what we would execute. */
  FOREIGN,
};

/*
 * Opens the directory as `*fd`, and makes it if it is missing, with its parents. It is usable if nobody but root and this
 * user can write there, or could have replaced it, and if programs may run there.
 */
enum verdict open_place(char path[PATH_MAX], int *fd, char why[MAX_TEXT]);

/* Is it a directory that is ours, and that nobody else can write? */
bool is_private(int fd);
