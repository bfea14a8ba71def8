/*
 * The package inside the one file. The file is
 *
 *     this program | manifest | contents, a frame of zstd | trailer
 *
 * The manifest has a line for each entry, parents first: `d PATH`, `f MODE SIZE PATH` or `l TARGET PATH`, without spaces in
 * paths. The contents are those of its files, in this order. The trailer is a line of TRAILER_BYTES:
 * `thermos-one-file 1 MANIFEST_OFFSET MANIFEST_BYTES CONTENT_BYTES TIME HASH`, and spaces.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TRAILER_BYTES 128
#define HASH_BYTES 16

struct package {
  int fd;
  char *manifest;
  off_t contents_at;
  off_t content_bytes;
  /* Of all files, in seconds since the epoch: the caches of V8 fit no other. */
  long time;
  /* What tells it from all other packages: the name of its directory. */
  char hash[HASH_BYTES + 1];
};

struct entry {
  char kind;
  mode_t mode;
  off_t size;
  const char *target;
  const char *path;
};

/* Opens this program's own file. Returns why not. */
const char *open_package(struct package *package);

/* Reads the entry at `*at` of a copy of the manifest, which it cuts up, and moves on. False at the end. */
bool next_entry(char **at, struct entry *entry);

/* Are all files in the directory that `directory` has open, as they were unpacked? `memory`: node need not be there. */
bool is_complete(const struct package *package, int directory, bool memory);

/*
 * Writes all entries into a new directory, or those of node into the file `memory`, if that is not -1. With -1 as directory
 * the others are not written. Returns false with errno.
 */
bool unpack(const struct package *package, int directory, int memory);
