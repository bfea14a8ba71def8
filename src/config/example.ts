/** The file name of the example, if nobody gives another. */
export const EXAMPLE_NAME = 'hello.thermos';

/** A config that explains itself, and runs as it is within three seconds. */
export const EXAMPLE = `# A task for Thermos: some processes, what waits for what, and what they need.
#
#   thermos inspect FILE    shows the task, and what is wrong with it
#   thermos run FILE        runs it
#   thermos help run        how to run a part of it, in the background, or again
#
# This file is Python. {{name}} is filled in before a process starts: from bind()
# at the end, from -E name=VALUE on the command line, or by Thermos, which knows
# {{thermos.task_id}}, {{thermos.user}} and {{thermos.ports[NAME]}}.

# A process is a command line for bash. All processes of a task run in one
# directory, its sandbox. What they print is kept there, in
# .logs/PROCESS/RUN/{stdout,stderr}; 'thermos tail' shows it.
prepare = Process(
  name = 'prepare',
  cmdline = 'echo "{{greeting}} from {{thermos.user}}" > message.txt; echo "prepared"')

# A process that fails is run again, if it may fail more than once.
# This one fails the first time.
check = Process(
  name = 'check',
  cmdline = '[ -e tried ] || { touch tried; echo "not ready" >&2; exit 1; }; echo "ready"',
  max_failures = 3,    # 0: as often as it likes
  min_duration = 1)    # seconds between two runs; 5 if this is left out

# A port has a name. -P http:PORT gives its number; the default is bound below.
# A server that must stay up has daemon = True: it is started again whenever it
# ends. With ephemeral = True as well, the task does not wait for it.
serve = Process(
  name = 'serve',
  cmdline = r'''
    echo "a server would listen on port {{thermos.ports[http]}} now"
    [ ! -e message.txt ] || cat message.txt
    sleep 1
  ''',
  # A log grows without a limit, unless it is rotated. Here, up to 10 MB are
  # written to it before it is, and two older ones are kept.
  logger = Logger(
    mode = LoggerMode('rotate'),
    rotate = RotatePolicy(log_size = 10 * MB, backups = 2)))

# A final process runs when the others are over, also if the task failed or was
# killed.
clean = Process(
  name = 'clean',
  cmdline = 'rm -f tried; echo "cleaned up"',
  final = True)

hello = Task(
  name = 'hello',
  processes = [prepare, check, serve, clean],
  # 'check' waits for 'prepare', and 'serve' for 'check'. A process that no order
  # names starts at once.
  constraints = order(prepare, check, serve),
  # What the task asks for. A scheduler such as Aurora enforces it; 'run' does not.
  resources = Resources(cpu = 0.5, ram = 64 * MB, disk = 16 * MB),
  max_failures = 1,          # the task fails when this many processes have; 0: never
  max_concurrency = 2,       # at most this many processes run at a time; 0: no limit
  finalization_wait = 30)    # seconds that final processes have

export(hello.bind({
  'greeting': 'Hello',
  'thermos.ports[http]': 8080,
}))
`;
