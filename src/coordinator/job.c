#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptors.h"
#include "report.h"
#include "shortage.h"

static struct account account;
static gid_t groups[MAX_GROUPS];

/* False at the end of the control pipe. */
static bool read_all(void *to, size_t size) {
  char *at = to;
  while (size > 0) {
    ssize_t count;
    while ((count = read(FD_CONTROL, at, size)) < 0) persist("read", NULL);
    if (count == 0) return false;
    at += count;
    size -= (size_t)count;
  }
  return true;
}

_Noreturn static void invalid(void) { refuse("the job is not one that this coordinator understands"); }

/* The strings of a job, one after another. */
struct strings {
  char *at;
  char *end;
};

static char *next(struct strings *rest) {
  char *string = rest->at;
  char *stop = string == rest->end ? NULL : memchr(string, 0, (size_t)(rest->end - string));
  if (stop == NULL) invalid();
  rest->at = stop + 1;
  return string;
}

static char *next_path(struct strings *rest) {
  char *path = next(rest);
  if (path[0] != '/' || strlen(path) > MAX_PATH) invalid();
  return path;
}

/* Digits up to `end`, which is moved behind them. */
static uint64_t digits(char **at, unsigned base, uint64_t most) {
  uint64_t value = 0;
  char *digit = *at;
  for (; *digit >= '0' && *digit < (char)('0' + base); digit++) {
    unsigned more = (unsigned)(*digit - '0');
    if (value > (most - more) / base) invalid();
    value = value * base + more;
  }
  if (digit == *at) invalid();
  *at = digit;
  return value;
}

static uint64_t number(char *string, unsigned base, uint64_t most) {
  uint64_t value = digits(&string, base, most);
  if (*string != 0) invalid();
  return value;
}

static size_t read_groups(char *string) {
  size_t count = 0;
  for (;; string++) {
    if (count == MAX_GROUPS) invalid();
    groups[count++] = (gid_t)digits(&string, 10, UINT32_MAX - 1);
    if (*string == 0) return count;
    if (*string != ',') invalid();
  }
}

static enum destination destination_of(const char *name) {
  static const char *const NAMES[] = {"file", "console", "both", "none"};
  for (int i = 0; i < 4; i++) {
    if (strcmp(name, NAMES[i]) == 0) return (enum destination)i;
  }
  invalid();
}

static void parse(struct job *job, struct strings rest) {
  if (strcmp(next(&rest), JOB_VERSION) != 0) invalid();
  job->process = next(&rest);
  if (job->process[0] == 0 || strlen(job->process) > MAX_NAME) invalid();
  job->cmdline = next(&rest);
  job->cwd = next_path(&rest);
  job->chroot = *rest.at == 0 ? (next(&rest), NULL) : next_path(&rest);
  char *umask_ = next(&rest);
  job->umask = *umask_ == 0 ? -1 : (int)number(umask_, 8, 0777);
  char *uid = next(&rest);
  char *gid = next(&rest);
  char *members = next(&rest);
  job->account = NULL;
  if (*uid != 0) {
    account.uid = (uid_t)number(uid, 10, UINT32_MAX - 1);
    account.gid = (gid_t)number(gid, 10, UINT32_MAX - 1);
    account.groups = groups;
    account.group_count = read_groups(members);
    job->account = &account;
  }
  job->logs = next_path(&rest);
  job->destination = destination_of(next(&rest));
  job->log_size = number(next(&rest), 10, INT64_MAX);
  job->backups = (unsigned)number(next(&rest), 10, INT32_MAX);
  job->head = (off_t)number(next(&rest), 10, INT64_MAX);
  char *open_files = next(&rest);
  job->open_files = *open_files == 0 ? 0 : number(open_files, 10, INT64_MAX);
  size_t variables = 0;
  for (struct strings count = rest; count.at != count.end; variables++) next(&count);
  while ((job->environment = calloc(variables + 1, sizeof *job->environment)) == NULL) persist("calloc", NULL);
  for (size_t i = 0; i < variables; i++) {
    job->environment[i] = next(&rest);
    if (strchr(job->environment[i], '=') == NULL) invalid();
  }
}

/* The memory grows with what has come, not with what is announced. */
static char *read_body(size_t size) {
  char *body = NULL;
  size_t have = 0;
  while (have < size) {
    size_t room = have == 0 ? 64 * 1024 : have * 2;
    if (room > size) room = size;
    char *more;
    while ((more = realloc(body, room)) == NULL) persist("realloc", NULL);
    body = more;
    if (!read_all(body + have, room - have)) {
      free(body);
      return NULL;
    }
    have = room;
  }
  return body;
}

bool read_job(struct job *job) {
  unsigned char prefix[4];
  if (!read_all(prefix, sizeof prefix)) return false;
  uint32_t size = (uint32_t)prefix[0] << 24 | (uint32_t)prefix[1] << 16 | (uint32_t)prefix[2] << 8 | prefix[3];
  if (size == 0) invalid();
  if (size > MAX_JOB) refuse_command(E2BIG, "");
  job->memory = read_body(size);
  if (job->memory == NULL) return false;
  parse(job, (struct strings){job->memory, job->memory + size});
  /* "go\n", or the end of the runner. */
  char go[3];
  (void)read_all(go, sizeof go);
  /* Descriptor 0 is free now: occupy it so that no other file becomes the command's stdin. */
  int null;
  while ((null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) persist("open", "/dev/null");
  while (dup2(null, FD_CONTROL) < 0) persist("dup2", NULL);
  close(null);
  return true;
}

void free_job(struct job *job) {
  free(job->environment);
  free(job->memory);
  job->environment = NULL;
  job->memory = NULL;
}
