#include "package.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

static bool read_all(int fd, char *to, size_t bytes, off_t at) {
  while (bytes > 0) {
    ssize_t count = pread(fd, to, bytes, at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    to += count;
    bytes -= (size_t)count;
    at += count;
  }
  return true;
}

static int open_self(void) {
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  /* Without /proc: by the name that the kernel was given. */
  const char *name = (const char *)getauxval(AT_EXECFN);
  return fd == -1 && name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : fd;
}

const char *open_package(struct package *package) {
  package->fd = open_self();
  struct stat status;
  if (package->fd == -1 || fstat(package->fd, &status) != 0)
    return "its own file cannot be read: allow it with chmod +r";
  char trailer[TRAILER_BYTES + 1] = "";
  long long manifest_at = 0;
  long long manifest_bytes = 0;
  long long content_bytes = 0;
  if (status.st_size < TRAILER_BYTES || !read_all(package->fd, trailer, TRAILER_BYTES, status.st_size - TRAILER_BYTES) ||
      sscanf(trailer, "thermos-one-file 1 %lld %lld %lld %ld %16[0-9a-f]", &manifest_at, &manifest_bytes, &content_bytes,
             &package->time, package->hash) != 5 ||
      strlen(package->hash) != HASH_BYTES || manifest_at < 0 || manifest_bytes < 0 || content_bytes < 0 ||
      manifest_at + manifest_bytes + content_bytes + TRAILER_BYTES != status.st_size)
    return "its own file was cut off or changed: copy it again, and compare it with SHA256SUMS";
  package->contents_at = manifest_at + manifest_bytes;
  package->content_bytes = content_bytes;
  package->manifest = malloc((size_t)manifest_bytes + 1);
  if (package->manifest == NULL || !read_all(package->fd, package->manifest, (size_t)manifest_bytes, manifest_at))
    return "its own file cannot be read";
  package->manifest[manifest_bytes] = '\0';
  return NULL;
}

bool next_entry(char **at, struct entry *entry) {
  char *line = strsep(at, "\n");
  if (line == NULL || *line == '\0') return false;
  *entry = (struct entry){.kind = line[0]};
  line += 2;
  if (entry->kind == 'f') {
    entry->mode = (mode_t)strtoul(line, &line, 8);
    entry->size = strtoll(line + 1, &line, 10);
    line++;
  } else if (entry->kind == 'l') {
    entry->target = strsep(&line, " ");
  }
  entry->path = line;
  return true;
}

static bool is_node(const struct entry *entry) { return strcmp(entry->path, "lib/thermos/node") == 0; }

bool is_complete(const struct package *package, int directory, bool memory) {
  char *copy = strdup(package->manifest);
  if (copy == NULL) return false;
  char *at = copy;
  bool good = true;
  for (struct entry entry; good && next_entry(&at, &entry);) {
    struct stat status;
    if (entry.kind != 'f' || (memory && is_node(&entry))) continue;
    good = fstatat(directory, entry.path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
           status.st_size == entry.size && (status.st_mode & 07777) == entry.mode && status.st_uid == geteuid() &&
           status.st_nlink == 1 && status.st_mtime == package->time;
  }
  free(copy);
  return good;
}

/* The contents, as they are decompressed. */
struct source {
  const struct package *package;
  ZSTD_DStream *stream;
  ZSTD_inBuffer in;
  ZSTD_outBuffer out;
  off_t read;
  size_t taken;
  /* Of zstd: 0 at the end of the frame, when its checksum was right. */
  size_t state;
};

/* Makes some bytes available, or comes to the end. False with errno if the contents are damaged. */
static bool refill(struct source *source) {
  source->taken = 0;
  source->out.pos = 0;
  while (source->out.pos == 0 && source->state != 0) {
    if (source->in.pos == source->in.size) {
      const struct package *package = source->package;
      off_t left = package->content_bytes - source->read;
      size_t bytes = left < (off_t)ZSTD_DStreamInSize() ? (size_t)left : ZSTD_DStreamInSize();
      if (bytes == 0 || !read_all(package->fd, (char *)(size_t)source->in.src, bytes, package->contents_at + source->read)) {
        errno = EBADMSG;
        return false;
      }
      source->read += (off_t)bytes;
      source->in.size = bytes;
      source->in.pos = 0;
    }
    source->state = ZSTD_decompressStream(source->stream, &source->out, &source->in);
    if (ZSTD_isError(source->state)) {
      errno = EBADMSG;
      return false;
    }
  }
  return true;
}

/* Nothing is left, and the checksum was right. */
static bool is_at_end(struct source *source) {
  if (source->taken == source->out.pos && refill(source) && source->state == 0 && source->out.pos == 0) return true;
  errno = EBADMSG;
  return false;
}

/* Writes what comes next, or skips it if fd is -1. */
static bool write_file(struct source *source, int fd, off_t left) {
  while (left > 0) {
    if (source->taken == source->out.pos && !refill(source)) return false;
    if (source->taken == source->out.pos) {
      errno = EBADMSG;
      return false;
    }
    size_t bytes = source->out.pos - source->taken;
    if ((off_t)bytes > left) bytes = (size_t)left;
    ssize_t written = fd == -1 ? (ssize_t)bytes : write(fd, (const char *)source->out.dst + source->taken, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    source->taken += (size_t)written;
    left -= written;
  }
  return true;
}

static bool write_entry(struct source *source, int directory, int memory, const struct entry *entry) {
  bool is_file = entry->kind == 'f';
  if (is_file && memory != -1 && is_node(entry)) return write_file(source, memory, entry->size);
  if (directory == -1) return !is_file || write_file(source, -1, entry->size);
  if (entry->kind == 'd') return mkdirat(directory, entry->path, 0700) == 0;
  if (entry->kind == 'l') return symlinkat(entry->target, directory, entry->path) == 0;
  int fd = openat(directory, entry->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd == -1) return false;
  struct timespec times[2] = {{.tv_sec = source->package->time}, {.tv_sec = source->package->time}};
  /* After a loss of power, a file must not have its size without its content. */
  bool good = write_file(source, fd, entry->size) && fchmod(fd, entry->mode) == 0 && futimens(fd, times) == 0 &&
              fsync(fd) == 0;
  int error = errno;
  if (close(fd) != 0 && good) return false;
  errno = error;
  return good;
}

bool unpack(const struct package *package, int directory, int memory) {
  char *copy = strdup(package->manifest);
  struct source source = {
      .package = package,
      .stream = ZSTD_createDStream(),
      .in = {.src = malloc(ZSTD_DStreamInSize())},
      .out = {.dst = malloc(ZSTD_DStreamOutSize()), .size = ZSTD_DStreamOutSize()},
      .state = 1,
  };
  bool good = copy != NULL && source.stream != NULL && source.in.src != NULL && source.out.dst != NULL;
  if (!good) errno = ENOMEM;
  char *at = copy;
  for (struct entry entry; good && next_entry(&at, &entry);) good = write_entry(&source, directory, memory, &entry);
  good = good && is_at_end(&source);
  int error = errno;
  free(copy);
  free((void *)(size_t)source.in.src);
  free(source.out.dst);
  ZSTD_freeDStream(source.stream);
  errno = error;
  return good;
}
