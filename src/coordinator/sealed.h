/* A copy of our own program that nobody can write. */
#ifndef SEALED_H
#define SEALED_H

/*
 * Executes such a copy in place of ourselves, or returns if we are one. A command that runs as root in a container could
 * otherwise be a link to /proc/self/exe, and so open our file on the host for writing.
 */
void be_sealed(char **words);

#endif
