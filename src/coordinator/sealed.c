#include "sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec.h"

enum {
  SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
  CLOEXEC_FLAG = 1,
  ALLOW_SEALING_FLAG = 2,
  /* Since Linux 6.3. */
  EXEC_FLAG = 0x10,
};

static int create(void) {
  long fd = syscall(SYS_memfd_create, "thermos-exec", CLOEXEC_FLAG | ALLOW_SEALING_FLAG | EXEC_FLAG);
  if (fd < 0 && errno == EINVAL) fd = syscall(SYS_memfd_create, "thermos-exec", CLOEXEC_FLAG | ALLOW_SEALING_FLAG);
  return (int)fd;
}

void be_sealed(char **words) {
  extern char **environ;
  int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat file;
  if (self < 0 || fstat(self, &file) != 0) fail(errno, "/proc/self/exe");
  int seals = fcntl(self, F_GET_SEALS);
  if (seals >= 0 && (seals & SEALS) == SEALS) {
    close(self);
    return;
  }
  int copy = create();
  if (copy < 0) fail(errno, "cannot make a copy of this program that a root in a container cannot write");
  off_t at = 0;
  while (at < file.st_size) {
    ssize_t count = sendfile(copy, self, &at, (size_t)(file.st_size - at));
    if (count == 0 || (count < 0 && errno != EINTR)) fail(errno, "cannot copy this program");
  }
  if (fcntl(copy, F_ADD_SEALS, SEALS) != 0) fail(errno, "cannot seal a copy of this program");
  (void)fexecve(copy, words, environ);
  fail(errno, "cannot execute a copy of this program");
}
