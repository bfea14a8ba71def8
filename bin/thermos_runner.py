"""Takes the place of thermos_runner.pex in Aurora's executor: becomes the program thermos-runner.

For Python 2.7 and 3. The executor signals and reaps the process that it starts: that must be the runner.
"""

import os
import signal
import sys

# The original's exit code for an error of its own: the executor reports TASK_LOST.
INTERNAL_ERROR = 101


def main():
    program = os.environ.get("THERMOS_RUNNER") or "thermos-runner"
    # Python ignores them, and the program would inherit that.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(program, [program] + sys.argv[1:])
    except OSError as error:
        sys.stderr.write("cannot execute %s: %s\n" % (program, error.strerror))
        return INTERNAL_ERROR


if __name__ == "__main__":
    sys.exit(main())
