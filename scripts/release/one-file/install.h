/* Unpacking the package into a place, once, and removing what is not used any more. */
#pragma once
#include "package.h"
#include "place.h"

/*
 * Makes PLACE/HASH complete, if it is not, and gives the path of the directory with node. `place` is open and usable. If
 * `memory` is not -1, it is an empty file in memory that gets node instead, as takes more time at each start, but needs a
 * third of the room. False with `why` if another place may serve; ends the program if Node cannot run on this host.
 */
bool install(const struct package *package, const char *path, int place, int memory, char library[PATH_MAX], char why[MAX_TEXT]);

/* Prints `thermos: TEXT` and ends the program. */
_Noreturn void fail(const char *text);
