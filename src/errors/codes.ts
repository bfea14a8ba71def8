import type { EXIT } from './exit-codes.js';

/** `note`: worth knowing, but nothing is wrong; only `doctor` reports notes. */
export type Severity = 'error' | 'warning' | 'note';

/** What a code means to people and scripts. */
export interface CodeEntry {
  /** Its severities among the problems of an answer, the worst first. */
  readonly severity?: readonly Severity[];
  /** The exit statuses of commands that end with it. */
  readonly exit?: readonly (keyof typeof EXIT)[];
  /** One sentence. */
  readonly meaning: string;
  /** What to do, one sentence, where the meaning does not say it. */
  readonly remedy?: string;
}

/**
 * All codes of problems and errors, by subject. They are a contract with scripts: codes are added, never renamed or
 * removed. Other modules import only the types, because the texts are for `help codes` and the documentation.
 */
export const CODE_GROUPS = {
  'The command line and the program': {
    usage: {
      exit: ['usage'],
      meaning:
        'The command, a flag or an argument is not known, is missing, or has a value of the wrong form.',
      remedy: 'See `thermos COMMAND --help`.',
    },
    'unknown-command': { exit: ['usage'], meaning: 'There is no command of that name.' },
    'defaults-invalid': {
      exit: ['usage'],
      meaning: 'A file of defaults is not JSON, or has an unknown key or a value of the wrong type.',
      remedy: 'The message names file, line and key; `thermos help config` lists the keys.',
    },
    'defaults-ignored': {
      severity: ['warning'],
      meaning:
        'A file of defaults is not used: it cannot be read, or somebody other than root and this user could have written it.',
    },
    'bad-pattern': {
      exit: ['usage'],
      meaning: 'A word that names tasks is not a valid pattern.',
      remedy: 'Quote the word, or name the task by its whole id.',
    },
    'bad-age': {
      exit: ['usage'],
      meaning: 'A duration for gc does not have a form such as 90s, 1h30m, 2d or P1D.',
    },
    'bad-size': { exit: ['usage'], meaning: 'A size does not have a form such as 20G, 500MB or 1024B.' },
    'bad-count': { exit: ['usage'], meaning: 'A number of tasks is not a whole number.' },
    'bad-retained': {
      exit: ['usage'],
      meaning: 'The file given to --retained cannot be read, or does not map task ids to states.',
    },
    'confirmation-needed': {
      exit: ['usage'],
      meaning: 'The command asks before it acts, but there is no terminal to ask on.',
      remedy: 'Add --yes when the answer is known.',
    },
    'not-confirmed': {
      exit: ['no'],
      meaning: 'The person at the terminal did not confirm, so nothing was done.',
    },
    'output-failed': {
      exit: ['partial'],
      meaning: 'Standard output cannot be written, most often because its disk is full.',
    },
    'install-incomplete': {
      exit: ['partial'],
      meaning: 'A file of the thermos package itself is missing.',
      remedy: 'Install the package again.',
    },
    'flock-missing': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The program flock, which locks the streams of tasks, is not installed.',
      remedy: 'Install util-linux.',
    },
    'flock-failed': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The program flock could not be run, or could not lock a stream.',
    },
    timeout: { exit: ['timeout'], meaning: 'What the command waits for did not happen within --timeout.' },
    interrupted: {
      exit: ['interrupted', 'terminated', 'killed', 'lost'],
      meaning: 'A signal ended the command before its task was running on its own.',
    },
    bug: {
      exit: ['bug'],
      meaning: 'There is a bug in Thermos itself.',
      remedy: 'Run the command again with --debug and report what it prints.',
    },
  },
  'Finding roots and tasks': {
    'root-missing': {
      severity: ['error'],
      meaning: 'A root that was named does not exist, or is not a directory.',
    },
    'root-empty': {
      severity: ['warning'],
      meaning: 'A root that was named has no tasks, or is not a root at all.',
    },
    'root-unreadable': {
      severity: ['error', 'warning', 'note'],
      meaning: 'A root, or a directory that leads to roots, cannot be listed.',
      remedy: 'Run the command again with sudo.',
    },
    'root-untrusted': {
      severity: ['error', 'warning', 'note'],
      exit: ['usage'],
      meaning: 'Another user could write or replace what is in a root, so it is not used.',
      remedy: 'Choose another root with --root, or repair the owner and mode that the message names.',
    },
    'root-unwritable': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'The root in which a task should run cannot be written.',
      remedy: 'Choose another root with --root.',
    },
    'sandbox-unreadable': {
      severity: ['error', 'note'],
      meaning: 'A sandbox cannot be entered, so little is known of its task.',
      remedy: 'Run the command again with sudo; with --agent, say who you are.',
    },
    'directory-too-large': {
      severity: ['error'],
      meaning: 'A directory has more entries than a task leaves, so only the first of them were read.',
      remedy: 'Remove what does not belong there.',
    },
    'task-not-found': {
      severity: ['error'],
      exit: ['no', 'usage'],
      meaning: 'No task has the id that was given or matches the pattern, or the config has no such task.',
      remedy: 'See `thermos status` for the ids, and `thermos roots` for where tasks are looked for.',
    },
    'task-missing': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'No task is named on the command line, or a config exports none.',
    },
    'ambiguous-task': {
      exit: ['usage'],
      meaning: 'A word matches several tasks, or one id is in several roots, but the command takes one task.',
      remedy: 'Name one of them by its whole id or its path, or choose a root with --root.',
    },
    'task-in-several-roots': {
      severity: ['warning'],
      meaning: 'The same task id is in several roots.',
      remedy: 'Choose one of them with --root.',
    },
    'task-unreadable': {
      exit: ['partial'],
      meaning: 'The sandbox of the task cannot be entered, so its end would never be seen.',
      remedy: 'Run the command again with sudo.',
    },
    'task-removed': {
      severity: ['error'],
      exit: ['no', 'partial'],
      meaning: 'The task was removed while the command waited for it or opened it.',
    },
    'process-not-found': { exit: ['no', 'usage'], meaning: 'The task has no process of that name.' },
    'process-not-running': {
      exit: ['no'],
      meaning:
        'The process is not running here, so that it can be neither signalled nor restarted, and no command runs beside it.',
    },
    'run-not-found': { exit: ['no'], meaning: 'The process has no run of that number.' },
  },
  'Checkpoints and task files': {
    'checkpoint-missing': {
      severity: ['error', 'warning'],
      exit: ['no'],
      meaning: 'There is no checkpoint file, though the task or the command line names it.',
    },
    'checkpoint-unreadable': {
      severity: ['error'],
      exit: ['partial', 'usage'],
      meaning: 'A checkpoint file cannot be opened or read.',
      remedy: 'Run the command again with sudo.',
    },
    'checkpoint-damaged': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A checkpoint file cannot be decoded from some byte on; the state shown is the one before it.',
      remedy: 'List the records before the damage with `thermos read --records`, and check the disk.',
    },
    'checkpoint-incomplete': {
      severity: ['warning'],
      meaning: 'A checkpoint file ends inside a record, as it does while it is being written.',
    },
    'checkpoint-sparse': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A checkpoint file has a hole instead of records, and is not read beyond it.',
    },
    'checkpoint-replaced': {
      severity: ['warning'],
      meaning: 'A checkpoint file was replaced, shortened or rewritten while it was followed.',
    },
    'checkpoint-write-failed': {
      exit: ['partial'],
      meaning: 'A record cannot be appended to a checkpoint file.',
      remedy: 'Free space on the disk, then run the task again with the same config and id.',
    },
    'processes-left-out': {
      severity: ['error'],
      meaning: 'A checkpoint file names too many processes, and those after the limit are left out.',
      remedy: 'List every record with `thermos read --records`.',
    },
    'runs-left-out': {
      severity: ['warning'],
      meaning: 'A process ran so often that only its first and last runs are shown.',
      remedy: 'List every record with `thermos read --records`.',
    },
    'statuses-left-out': {
      severity: ['warning'],
      meaning: 'A task has so many statuses that only the first and last ones are shown.',
      remedy: 'List every record with `thermos read --records`.',
    },
    'task-file-missing': {
      severity: ['warning'],
      exit: ['usage'],
      meaning: 'A task has checkpoints but no task file.',
    },
    'task-file-twice': {
      severity: ['warning'],
      meaning: 'A task has one task file among the active tasks and another among the finished ones.',
      remedy: 'Remove the active one if no runner is alive.',
    },
    'task-file-unreadable': {
      severity: ['error', 'warning'],
      exit: ['partial', 'usage'],
      meaning: 'A task file cannot be opened or read, or is a link that leads nowhere.',
    },
    'task-file-damaged': {
      severity: ['error', 'warning'],
      exit: ['partial', 'usage'],
      meaning:
        'A task file is not JSON, does not describe a task, has a field that no runner would accept, or is nested too deeply.',
    },
    'task-file-unwritable': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A task file cannot be written or moved to the finished ones.',
    },
  },
  Logs: {
    'no-log': { exit: ['no'], meaning: 'The requested processes have no logs.' },
    'log-not-started': {
      severity: ['warning'],
      exit: ['no'],
      meaning: 'A process has no log because it has not started.',
    },
    'log-not-kept': {
      severity: ['warning'],
      exit: ['no'],
      meaning: 'A process has no log file because its logger keeps none.',
    },
    'log-missing': {
      severity: ['warning'],
      exit: ['no'],
      meaning: 'There is no log file where a process should have written one.',
    },
    'log-collected': {
      severity: ['warning'],
      exit: ['no'],
      meaning: 'The logs or the sandbox of a task were removed by a garbage collection.',
    },
    'log-unreadable': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A log cannot be read.',
      remedy: 'Read it as root or as the user of the task, for example with sudo.',
    },
    'log-untrusted': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A log is not read because the user of the task could not read it.',
    },
    'log-link-refused': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A log is not read because it, or a directory on the way to it, is a link.',
    },
    'log-not-a-file': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A log is not read because it is not a regular file.',
    },
    'log-too-large': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A log is not read because its size is larger than any log can have.',
    },
    'log-name-refused': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The name of a process leads out of the log directory, so its logs are not read.',
    },
    'no-line-matches': {
      exit: ['no'],
      meaning: 'The logs have lines, but --grep and --exclude select none of them.',
    },
    'log-outside-window': {
      exit: ['no'],
      meaning: 'All logs were written before --since or after --until, by the times of their runs and files.',
    },
    'log-line-cut': {
      severity: ['warning'],
      meaning: 'A line of a log is too long to search for its start, so it is printed from some byte on.',
    },
  },
  'Files of sandboxes': {
    'sandbox-missing': {
      severity: ['error'],
      exit: ['no'],
      meaning: 'The task has no sandbox here: none is recorded, or it was removed.',
    },
    'file-missing': {
      severity: ['error'],
      exit: ['no'],
      meaning: 'There is nothing at that path in the sandbox.',
      remedy: 'List what is there with `thermos ls`.',
    },
    'path-outside': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'A path, or a link on the way, leads out of the sandbox of the task.',
    },
    'file-unreadable': {
      severity: ['error'],
      meaning: 'A file or directory of a sandbox cannot be read.',
      remedy: "Read it as root or as the task's user, for example with sudo.",
    },
    'file-untrusted': {
      severity: ['error'],
      meaning: 'A file or directory of a sandbox is not read because the user of the task could not read it.',
    },
    'file-not-regular': {
      severity: ['error'],
      meaning: 'Something in a sandbox is not read because it is a directory, a FIFO, a socket or a device.',
    },
    'file-too-large': {
      severity: ['error'],
      meaning: 'A file is too large to be read, or for the free space of the disk that it is copied to.',
    },
    'link-left-out': {
      severity: ['error'],
      meaning: 'A link was not copied because it leads out of what is copied.',
      remedy: 'Copy such links as they are with --links.',
    },
    'copy-refused': {
      severity: ['error'],
      exit: ['usage'],
      meaning:
        'Something is not copied: the destination exists, is not a directory, is inside the source or in a sandbox, or a directory is copied without --recursive.',
    },
    'copy-failed': {
      severity: ['error'],
      meaning:
        'A copy cannot be written, for example because the disk is full; no part of that file is left.',
      remedy: 'Free space on the disk, or copy to another place.',
    },
  },
  Configs: {
    'config-missing': { exit: ['usage'], meaning: 'The config file does not exist.' },
    'config-unreadable': {
      exit: ['usage'],
      meaning: 'The config file cannot be read, is a directory, is too long, or is not text.',
    },
    'config-exists': {
      exit: ['usage'],
      meaning: 'The config that init should write exists.',
      remedy: 'Name another file, or replace it with --force.',
    },
    'config-unwritable': { exit: ['partial'], meaning: 'The config cannot be written.' },
    'config-syntax': { exit: ['usage'], meaning: 'The config is not valid Python or JSON.' },
    'config-invalid': {
      exit: ['usage'],
      meaning: 'The config has several errors, or does not describe a task.',
    },
    'config-exception': { exit: ['usage'], meaning: 'The config raised a Python exception.' },
    'config-name': { exit: ['usage'], meaning: 'The config uses a name that is not defined.' },
    'config-file': { exit: ['usage'], meaning: 'The config could not open or include a file.' },
    'config-exit': { exit: ['usage'], meaning: 'The config made the interpreter exit.' },
    'config-recursion': { exit: ['usage'], meaning: 'The config includes or calls itself endlessly.' },
    'config-endless': {
      exit: ['usage'],
      meaning: 'The evaluation of the config took too long and was stopped.',
    },
    'config-memory': { exit: ['usage'], meaning: 'The config needs more memory than it may use.' },
    'config-limit': {
      severity: ['error', 'warning'],
      exit: ['usage'],
      meaning: 'The config is larger than any real config, or has more problems than are listed.',
    },
    'config-forged': {
      exit: ['usage'],
      meaning: 'The config wrote something other than the calls of its classes to /dev/thermos.',
    },
    'config-interpreter': {
      exit: ['usage'],
      meaning: 'The Python interpreter crashed, or the config changed the modules that evaluate it.',
    },
    'task-not-chosen': {
      exit: ['usage'],
      meaning: 'The config exports several tasks, and none was chosen.',
      remedy: 'Choose one with --task.',
    },
    'task-empty': { severity: ['error'], exit: ['usage'], meaning: 'The task of a config has no processes.' },
    'task-invalid': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'A task cannot be run as described, for example because its processes wait for each other.',
    },
    'job-missing': {
      exit: ['usage'],
      meaning: 'An Aurora config has no jobs.',
      remedy: 'List them in the config: jobs = [Job(…)].',
    },
    'job-invalid': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'Aurora would refuse a job, or an entry in the list of jobs is not one.',
    },
    'job-incomplete': {
      exit: ['usage'],
      meaning: 'A job has no cluster, task or role, or its task has no processes.',
    },
    'job-not-found': { exit: ['usage'], meaning: 'An Aurora config has no job of that name.' },
    'job-not-chosen': {
      exit: ['usage'],
      meaning: 'An Aurora config has several jobs that could be meant.',
      remedy: 'Choose one with --job, by as much of its key as is needed.',
    },
    'field-missing': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'An object of a config lacks a field that it needs.',
    },
    'type-mismatch': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'A value of a config is not of the type of its field.',
    },
    'ref-unbound': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'A {{reference}} of a config has no value.',
      remedy: 'Bind it in the config, or with -E NAME=VALUE.',
    },
    'mustache-blanks': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'A {{reference}} has blanks inside its braces.',
      remedy: 'Remove the blanks.',
    },
    'mustache-invalid': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'Text in double braces is not a reference.',
      remedy: 'Write {{&&&&&text}} to give {{text}} to the command.',
    },
    'escape-lost': {
      severity: ['error', 'warning'],
      exit: ['usage'],
      meaning: 'An escaped {{reference}} loses its escape before the command runs.',
      remedy: 'Write {{&&&&&text}} to give {{text}} to the command.',
    },
    'name-invalid': {
      severity: ['error'],
      exit: ['usage'],
      meaning:
        'The name of a process is empty, begins with a dot or has a slash, so it cannot name its logs.',
    },
    'plan-invalid': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'The constraints of a task contradict each other or name processes that do not fit.',
    },
    'port-invalid': {
      severity: ['error'],
      exit: ['usage'],
      meaning:
        'A reference to a port is not of the form {{thermos.ports[NAME]}}, or a port refers to itself.',
    },
    'port-unbound': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'The task needs a port that is not given.',
      remedy: 'Give it with -P NAME:PORT.',
    },
    'port-unused': { severity: ['warning'], meaning: 'No process uses a port that is given.' },
    'process-duplicate': {
      severity: ['warning'],
      meaning: 'Two processes of a task have the same name, and only the last one runs.',
    },
    'constraint-unknown': {
      severity: ['warning'],
      meaning: 'A constraint names no process of the task, so it orders nothing.',
    },
  },
  'Running tasks': {
    'task-id-invalid': { exit: ['usage'], meaning: 'A task id cannot be the name of a directory.' },
    'task-running': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'The task already has a runner.',
      remedy: 'See what it does with `thermos status`.',
    },
    'task-finished': {
      exit: ['usage'],
      meaning: 'The task with that id is finished, and cannot be run again.',
      remedy: 'Choose another id with --task-id, or remove the old task with `thermos gc`.',
    },
    'task-differs': {
      exit: ['usage'],
      meaning: 'The id belongs to another, unfinished task.',
      remedy: 'Choose another id with --task-id.',
    },
    'task-incomplete': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The header or task file of a task lacks what a runner needs to take it over.',
    },
    'task-untrusted': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'Another user may have written the files of a task, so they are not trusted.',
      remedy: 'Repair the owner and mode that the message names, if the files are right.',
    },
    'run-again': {
      severity: ['warning'],
      meaning:
        'A task that is run again has values of its first run in it, or lacks what its task file does not keep.',
      remedy: 'Run its config instead, if that matters.',
    },
    'user-unknown': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'The user that the task runs as does not exist on this host.',
      remedy: 'Create the user.',
    },
    'user-not-root': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'Only root can run a task as another user.',
    },
    'exec-refused': {
      exit: ['usage'],
      meaning:
        'Only root and the user of a task may run a command in it, and only root in other namespaces than its own.',
      remedy: 'Run the command as the message says, for example with sudo.',
    },
    'chroot-not-root': { exit: ['usage'], meaning: 'Only root can change the root directory of processes.' },
    'containerizer-unusable': {
      exit: ['partial'],
      meaning: 'The mesos-containerizer that is to run processes in an image cannot be executed.',
    },
    'sandbox-unusable': {
      severity: ['error'],
      exit: ['usage'],
      meaning: 'The sandbox or its log directory cannot be made, entered, or kept from other users.',
      remedy: 'Choose another with --sandbox.',
    },
    'sandbox-unwritable': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The sandbox cannot be written because the disk is full or fails.',
    },
    'out-of-resources': {
      severity: ['warning'],
      exit: ['partial'],
      meaning:
        'The machine, or a limit on it, does not give thermos what it needs: processes, memory, open files, room on a disk.',
      remedy: 'Do what the hint says, then run the command again; `thermos run` resumes a task.',
    },
    'profile-untrusted': {
      severity: ['warning'],
      meaning: 'The .thermos_profile of a sandbox is not read because others could have written it.',
    },
    'reasons-unreadable': {
      severity: ['warning'],
      meaning:
        'What the runner of a task, or who ended it, kept beside its stream cannot be read; the task is shown without it.',
    },
    'starts-unreadable': {
      severity: ['warning'],
      meaning:
        'The exact starts of the processes of a task, which its runner kept beside its stream, cannot be read or trusted; processes are identified by the recorded times.',
    },
    'process-not-started': { severity: ['error'], meaning: 'A process of a task cannot be started.' },
    'process-lost': {
      severity: ['error'],
      meaning: 'The coordinator of a process ended before it recorded how the process ended.',
    },
    'process-run-cap': {
      severity: ['warning'],
      meaning: 'A process is not run again because it ran as often as --max-runs allows.',
    },
    'runner-died': { exit: ['partial'], meaning: 'The runner of a daemon died before its task was started.' },
  },
  'Asking agents': {
    'credentials-invalid': {
      exit: ['usage'],
      meaning:
        'A file with credentials or a certificate for agents cannot be read, is not one, or can be read by others.',
    },
    'agent-unreachable': {
      severity: ['error'],
      meaning: 'An agent does not answer, so its tasks, or some of them, are not shown.',
      remedy: 'See whether the agent runs, and whether its address is right.',
    },
    'agent-unauthorized': {
      severity: ['error'],
      meaning:
        'An agent does not allow this user, or a caller without credentials, to see what was asked for.',
      remedy: 'Say who you are with --credentials-file, or with --cert and --key.',
    },
    'agent-recovering': {
      severity: ['error'],
      meaning: 'An agent was just started, and does not know its executors yet.',
      remedy: 'Ask again in a minute.',
    },
    'agent-answer-odd': {
      severity: ['error', 'warning'],
      meaning: 'What answers at the address is not an agent, or gives an answer that no agent gives.',
    },
    'master-invalid': {
      exit: ['usage'],
      meaning:
        'A file that says where masters are cannot be read, could have been written by others, or says something else.',
    },
    'agent-inactive': {
      severity: ['warning'],
      meaning: 'A master has lost an agent that it lists; what the agent still answers is shown.',
    },
    'master-unreachable': {
      severity: ['error', 'warning'],
      meaning: 'No master answers, so its agents are not known and their tasks are not shown.',
      remedy:
        'See whether the masters run, and whether the address is right; or name the agents with --agent.',
    },
    'master-unauthorized': {
      severity: ['error', 'warning'],
      meaning: 'A master does not allow this user, or a caller without credentials, to see its agents.',
      remedy: 'Say who you are with --credentials-file, or with --cert and --key.',
    },
    'master-no-leader': {
      severity: ['error', 'warning'],
      meaning: 'The masters have no leader at the moment, so nobody knows which agents there are.',
      remedy: 'Ask again in a minute; if that does not help, check the masters and their ZooKeeper.',
    },
    'master-answer-odd': {
      severity: ['error', 'warning'],
      meaning: 'What answers at the address is not a master, or gives an answer that no master gives.',
    },
    'scheduler-unreachable': {
      severity: ['error', 'warning'],
      meaning:
        "Aurora's scheduler does not say which agents have the tasks of a job; if the masters are known, all their agents are asked.",
      remedy: 'See whether the scheduler runs, and what clusters.json says about where it is.',
    },
    'cluster-unknown': {
      exit: ['no', 'usage'],
      meaning:
        "A cluster is named that neither Aurora's clusters.json nor a file of defaults knows, or whose scheduler is not known.",
    },
    'job-unknown': {
      severity: ['warning'],
      meaning: "Aurora's scheduler has no task of this job, or has forgotten those that ended.",
    },
    'task-pending': {
      severity: ['warning'],
      meaning: 'A task waits in the scheduler for an agent; the message says why, if the scheduler does.',
    },
    'agent-clock-skew': {
      severity: ['warning'],
      meaning: 'The clock of an agent differs from that of this host; ages of its tasks are by its own.',
    },
  },
  'Ending and collecting tasks': {
    'kill-refused': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The runner of a task cannot be signalled, or does not exit.',
      remedy: 'Run the command as root or as the user of the runner.',
    },
    'kill-failed': {
      severity: ['error'],
      meaning: 'The operating system refused a step while a task was being ended.',
    },
    'task-vanished': { severity: ['error'], meaning: 'The task was removed while it was being ended.' },
    'task-refused': {
      severity: ['error'],
      exit: ['partial'],
      meaning:
        'A task that lost its runner is not ended, because its stream or its processes cannot be determined.',
    },
    'final-not-run': {
      severity: ['warning'],
      meaning: 'The final processes of a task are not run, because its files may belong to a container.',
    },
    'signal-refused': {
      severity: ['error', 'warning'],
      exit: ['partial'],
      meaning: 'A process was not signalled, because it may not belong to the task.',
    },
    'signal-failed': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The operating system refused to signal a process of a task.',
    },
    'process-unending': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'A process was killed or stopped, but does not react.',
    },
    'restart-refused': {
      exit: ['partial'],
      meaning: 'A process is not restarted, because no runner would run it again.',
    },
    'process-restarted': {
      severity: ['note'],
      meaning: 'A run of a process was ended by `thermos restart`, and does not count as a failure.',
    },
    'process-not-restarted': {
      exit: ['partial'],
      meaning: 'A run was ended to be restarted, but its task or its runner ended meanwhile.',
    },
    'gc-running': {
      exit: ['partial'],
      meaning: 'Another gc is working on the same root.',
      remedy: 'Try again when it is done.',
    },
    'gc-failed': {
      severity: ['error'],
      meaning: 'A file of a task cannot be removed, or its state cannot be recorded.',
    },
    'gc-refused': {
      severity: ['error'],
      meaning: 'Something is not removed or changed because a check of gc found that it might be needed.',
    },
    'sandbox-pulled': {
      severity: ['warning'],
      meaning: 'The sandbox of an active task was removed while its executor was running.',
    },
    'sandbox-not-found': {
      exit: ['no'],
      meaning:
        'The directory given to --sandbox does not exist, or is not the sandbox of a task that would be collected.',
    },
  },
  'What tasks use': {
    'use-unknown': {
      severity: ['warning'],
      meaning:
        'What a task uses cannot be seen, or only in part: /proc hides its processes, they belong to another user, they are in another pid namespace, or an agent knows only what several tasks use together.',
      remedy: 'Look as root, or as the user of the task.',
    },
  },
  'Pages of tasks': {
    'report-unwritable': {
      severity: ['error', 'warning'],
      exit: ['partial'],
      meaning: 'A page of a task, or the directory of the pages, cannot be written.',
      remedy: 'Name a directory that you may write to with --out, or free space on its disk.',
    },
    'record-unwritable': {
      severity: ['error'],
      exit: ['partial'],
      meaning: 'The file given to `top --record` cannot be written, or holds something else.',
      remedy: 'Name another file, in a directory that you may write to, or free space on its disk.',
    },
    'record-unreadable': {
      severity: ['error'],
      meaning: 'The file of `report --usage` cannot be opened or read.',
    },
    'record-damaged': {
      severity: ['warning'],
      meaning:
        'Lines of a record are not samples of `top --record`, or are from the future: they are left out.',
    },
    'record-too-large': {
      severity: ['warning'],
      meaning: 'A record is longer, or has more tasks and processes, than thermos reads.',
      remedy: 'Give `top --record` a smaller --record-size.',
    },
    'record-empty': {
      severity: ['warning'],
      meaning: 'A record has no sample of the tasks that are asked for.',
    },
    'report-times-left-out': {
      severity: ['warning'],
      meaning: 'A trace lacks runs whose times cannot be true.',
    },
  },
  'What doctor finds': {
    'not-checked': {
      severity: ['warning'],
      meaning: 'A check could not be made, because what it reads is hidden.',
    },
    'runner-dead': {
      severity: ['error', 'warning'],
      meaning: 'A task is recorded as running, but no runner is alive.',
      remedy: 'Run it again with the same config and id, or let `thermos gc` mark it LOST.',
    },
    'runner-stopped': {
      severity: ['error', 'warning'],
      meaning:
        'The runner of a task is stopped by a signal or held by a debugger, so nothing is started or recorded.',
      remedy: 'Resume it with `kill -CONT`; `thermos kill` does so itself.',
    },
    'coordinator-stopped': {
      severity: ['warning'],
      meaning:
        'The coordinator of a process is stopped by a signal, as by a restart that was killed, so the end of the process is not recorded.',
      remedy: 'Resume it with `kill -CONT`, or restart the process again.',
    },
    'scheduler-disagrees': {
      severity: ['warning'],
      meaning: 'A task runs or is over, and the scheduler, or the master, believes something else.',
      remedy: 'Let the scheduler reconcile its tasks; end what it does not know on its host.',
    },
    'task-not-moved': {
      severity: ['warning'],
      meaning: 'A task ended, and its runner died before it moved the task file to the finished ones.',
      remedy: 'Let `thermos gc` move it.',
    },
    'task-failed': {
      severity: ['error'],
      meaning: 'The task ended FAILED.',
      remedy: 'Read what it wrote with `thermos tail --stderr`.',
    },
    'task-killed': { severity: ['note'], meaning: 'The task ended KILLED, on request.' },
    'task-lost': {
      severity: ['error'],
      meaning: 'The task ended LOST: its runner died or was asked to give it up.',
    },
    leftovers: { severity: ['error'], meaning: 'A task is over, but some of its processes are still alive.' },
    'foreign-pids': {
      severity: ['note'],
      meaning: 'A task runs in a pid namespace of its own, so its recorded pids say nothing on this host.',
    },
    'sandbox-gone': {
      severity: ['error'],
      meaning: 'A task is running, but its sandbox was removed.',
      remedy: 'End the task with `thermos kill`.',
    },
    'sandbox-partly-removed': {
      severity: ['warning'],
      meaning: 'A sandbox of Thermos has no checkpoints: it was removed in part, or its executor died early.',
    },
    'clock-skew': {
      severity: ['warning'],
      meaning: 'A task has times in the future, so the clock of a host is or was wrong.',
      remedy: 'Check the clock, because ages and the identity of processes depend on it.',
    },
    'checkpoint-times-odd': {
      severity: ['warning'],
      meaning: 'A checkpoint has times that no clock shows, so it is damaged or forged.',
    },
    'checkpoint-torn': {
      severity: ['warning'],
      meaning: 'A checkpoint ends inside a record, and nothing will write the rest.',
    },
    'task-not-started': {
      severity: ['warning'],
      meaning: 'Nothing is recorded about a task: its runner died before it started the task.',
      remedy: 'Run it again, or let `thermos gc` collect what is left after `--orphan-age`.',
    },
    'checkpoint-headless': {
      severity: ['warning'],
      meaning: 'A checkpoint has no header, so it is not known where and as which user its task ran.',
    },
    'checkpoint-of-another-task': {
      severity: ['warning'],
      meaning: 'The header of a checkpoint names another task, so it was copied or forged.',
    },
    'end-not-recorded': {
      severity: ['warning'],
      meaning: 'A task is among the finished ones, but its checkpoint does not say how it ended.',
    },
    'executor-never-started': {
      severity: ['error', 'warning'],
      meaning:
        "An executor of Aurora never started its task; the finding says why, from the executor's own output.",
    },
    'agent-refuses-to-start': {
      severity: ['error'],
      meaning: 'The Mesos agent gave up starting, and its log says why.',
    },
    'agent-not-recovered': {
      severity: ['error'],
      meaning: 'The host was rebooted, and the Mesos agent has not recovered since.',
    },
    'agent-never-registered': {
      severity: ['warning'],
      meaning: 'The Mesos agent has not registered with a master since its identity was created.',
    },
    'agent-identity-dangling': {
      severity: ['warning'],
      meaning: 'The identity that the Mesos agent would recover is gone.',
    },
    'agent-attributes-missing': {
      severity: ['warning'],
      meaning: "The Mesos agent lacks attributes that the scheduler's default constraints require.",
    },
    'old-agent': {
      severity: ['note'],
      meaning: 'Files of a former identity of the Mesos agent are still there.',
    },
    'old-agent-not-removed': {
      severity: ['warning'],
      meaning: 'Files of a former identity of the Mesos agent should have been removed long ago.',
    },
    'cpu-exceeded': {
      severity: ['note'],
      meaning: 'A task uses more processor time than its task file asks for.',
      remedy: 'Ask for more cpu in the config, because other tasks may need what it takes.',
    },
    'cpu-throttled': {
      severity: ['warning'],
      meaning:
        'A task reached the limit of its processor time in more than a tenth of the periods, and was held back.',
      remedy: 'Ask for more cpu in the config, or let fewer threads work at once.',
    },
    'ram-exceeded': {
      severity: ['warning'],
      meaning: 'A task uses more memory than its task file asks for.',
      remedy: 'Ask for more ram in the config, before a limit ends the task.',
    },
    'oom-killed': {
      severity: ['warning'],
      meaning: 'The kernel killed processes of a task, because its container had no memory left.',
      remedy: 'Ask for more ram in the config.',
    },
    'pids-near-limit': {
      severity: ['warning'],
      meaning: 'The cgroup of a task has nearly as many processes and threads as it may have.',
      remedy: 'End what is not needed, or raise pids.max (TasksMax of systemd): fork fails beyond it.',
    },
    'disk-exceeded': {
      severity: ['warning'],
      meaning: 'The sandbox and the logs of a task occupy more than its task file asks for.',
      remedy: 'Ask for more disk in the config, or let its logs be rotated.',
    },
    'disk-filling': {
      severity: ['warning'],
      meaning: 'A sandbox grows so fast that its disk is full within an hour.',
      remedy: 'Free space, or end the task before its disk is full.',
    },
    'disk-full': {
      severity: ['error'],
      meaning: 'A disk is full, so runners cannot record what happens.',
      remedy: 'Free space, for example with `thermos gc`.',
    },
    'disk-nearly-full': { severity: ['warning'], meaning: 'A disk is nearly full.' },
    'disk-no-inodes': {
      severity: ['error'],
      meaning: 'A disk has no inodes left, so no file can be created, however much space is free.',
    },
    'disk-pressure': {
      severity: ['warning'],
      meaning: 'A disk is so full that the Mesos agent removes finished sandboxes at once.',
    },
    'disk-read-only': {
      severity: ['error', 'note'],
      meaning: 'A disk is mounted read-only, so no checkpoint can be written there.',
    },
  },
} as const satisfies Record<string, Record<string, CodeEntry>>;

type CodeGroups = typeof CODE_GROUPS;

/** A code of a problem, a finding or an error. */
export type ProblemCode = { [Group in keyof CodeGroups]: keyof CodeGroups[Group] }[keyof CodeGroups];
