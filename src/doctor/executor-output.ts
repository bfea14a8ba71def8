import type { TailLine } from './file-tail.js';

/** Why an executor did not start, and the line that says so. */
export interface StartFailure {
  /** Stable: `missing-library`, `no-python` … */
  code: string;
  /** What is missing, if the reason alone does not say it. */
  subject?: string;
  line: TailLine;
}

/**
 * The most specific first: a traceback says which library is missing before the executor says that it could not
 * load its driver. Texts of Aurora's executor, of Mesos's fetcher and containerizers, of CPython, of the dynamic
 * loader and of shells (project's facts, mesos.md 6.2). No pattern has nested repetition: lines may be forged.
 */
const REASONS: readonly { code: string; pattern: RegExp }[] = [
  { code: 'missing-library', pattern: /ImportError: (lib[^\s:]+): cannot open shared object file/ },
  { code: 'missing-library', pattern: /error while loading shared libraries: (lib[^\s:]+):/ },
  { code: 'old-library', pattern: /version [`'"]([A-Z][A-Z_]*_[\d.]+)['"] not found/ },
  { code: 'mesos-egg', pattern: /ImportError: No module named ((?:mesos(?:\.\w+)*)|executor|native)\s*$/ },
  { code: 'no-python', pattern: /env: ['"‘`]?(python[\d.]*)['"’]?: No such file or directory/ },
  { code: 'no-python', pattern: /(?:^|[\s:/])(python[\d.]*): (?:command )?not found/ },
  { code: 'no-python', pattern: /(python[\d.]*): (?:bad interpreter|No such file or directory)/ },
  { code: 'unknown-user', pattern: /user does not exist: ?(\S+)/i },
  {
    code: 'unknown-user',
    pattern: /Failed to (?:get user information|lookup user|find user) (?:for )?'?([^\s':]+)/i,
  },
  { code: 'no-space', pattern: /No space left on device/ },
  { code: 'fetch-failed', pattern: /Failed to fetch ['"]?([^\s'"]+)/ },
  { code: 'fetch-failed', pattern: /Failed to copy (?:from )?['"]?([^\s'"]+)/ },
  { code: 'not-executable', pattern: /(thermos_executor[\w.]*): Permission denied/ },
  { code: 'not-executable', pattern: /(thermos_executor[\w.]*): (?:not found|No such file or directory)/ },
  { code: 'out-of-memory', pattern: /\bMemoryError\b|Cannot allocate memory|[Oo]ut of memory/ },
  {
    code: 'sandbox-failed',
    pattern:
      /(?:Failed to (?:initialize|chown\/chmod the) sandbox: .*|Timed out waiting for sandbox to initialize!)/,
  },
  {
    code: 'task-failed-to-start',
    pattern: /(?:Task initialization failed: .*|Timed out waiting for task to start!)/,
  },
  { code: 'no-driver', pattern: /Could not load MesosExecutorDriver!/ },
  { code: 'no-task', pattern: /Executor timing out\./ },
];

/** Undefined if the output does not say why. If several lines say the same, the last one counts. Pure. */
export function startFailureIn(lines: readonly TailLine[]): StartFailure | undefined {
  let best: { rank: number; failure: StartFailure } | undefined;
  for (const line of lines) {
    for (const [rank, { code, pattern }] of REASONS.entries()) {
      if (best !== undefined && rank > best.rank) break;
      const match = pattern.exec(line.text);
      if (match === null) continue;
      best = { rank, failure: { code, subject: match[1], line } };
      break;
    }
  }
  return best?.failure;
}

/** The packages of Debian and Red Hat that contain a library, by the prefix of its name. */
const PACKAGES: readonly [string, string][] = [
  ['libsasl2', 'libsasl2-2 (Debian), cyrus-sasl-lib (Red Hat)'],
  ['libcurl-nss', 'libcurl3-nss (Debian)'],
  ['libcurl', 'libcurl4 or libcurl3 (Debian), libcurl (Red Hat)'],
  ['libaprutil', 'libaprutil1 (Debian), apr-util (Red Hat)'],
  ['libapr', 'libapr1 (Debian), apr (Red Hat)'],
  ['libsvn', 'libsvn1 (Debian), subversion-libs (Red Hat)'],
  ['libssl', 'the OpenSSL of the version that the name ends with'],
  ['libcrypto', 'the OpenSSL of the version that the name ends with'],
  ['libz.', 'zlib1g (Debian), zlib (Red Hat)'],
];

export interface Explained {
  /** Continues a sentence after “because”. */
  because: string;
  advice: string[];
}

/** Describes a start failure. `docker`: the executor runs inside an image, which must contain what is missing. */
export function explain(
  { code, subject = '' }: Pick<StartFailure, 'code' | 'subject'>,
  docker: boolean,
): Explained {
  const where = docker ? 'in the Docker image of the task' : 'on this host';
  switch (code) {
    case 'missing-library': {
      const known = PACKAGES.find(([name]) => subject.startsWith(name))?.[1];
      return {
        because: `the library ${subject} is missing ${where}`,
        advice: [
          `install ${known ?? `the package that has ${subject}`} ${where}`,
          ...(docker
            ? ['an image must contain Python 2.7 and the libraries of Mesos: the executor runs inside it']
            : []),
        ],
      };
    }
    case 'old-library':
      return {
        because: `the system ${where} is older than the one the executor was built on: it has no ${subject}`,
        advice: ['use an executor that was built on the same distribution, or a newer image'],
      };
    case 'mesos-egg':
      return {
        because: `the executor has no Mesos library for this system (module ${subject})`,
        advice: ['use an executor that was built for this distribution and this version of Mesos'],
      };
    case 'no-python':
      return {
        because: `there is no ${subject} ${where}`,
        advice: [`install ${subject === 'python' ? 'Python 2.7' : subject} ${where}: the executor needs it`],
      };
    case 'unknown-user':
      return {
        because: `the user ${subject} does not exist on this host`,
        advice: [
          `create the user ${subject} on this host`,
          'the role of a job is the user that its tasks run as',
        ],
      };
    case 'no-space':
      return { because: 'the disk was full', advice: ['free space; see also the findings about disks'] };
    case 'fetch-failed':
      return {
        because: `${subject} could not be fetched into the sandbox`,
        advice: [`check that ${subject} can be read from this host, and its path in the scheduler's flags`],
      };
    case 'not-executable':
      return {
        because: `${subject} cannot be executed`,
        advice: [`check that ${subject} was fetched, is executable, and that the disk is not mounted noexec`],
      };
    case 'out-of-memory':
      return {
        because: 'the container ran out of memory',
        advice: ['raise the RAM of the task, or the overhead that the scheduler adds for the executor'],
      };
    case 'sandbox-failed':
      return {
        because: 'the sandbox could not be created',
        advice: ['see the line above, and __main__.log in the same directory'],
      };
    case 'task-failed-to-start':
      return {
        because: 'the task could not be started',
        advice: ['see the line above, and __main__.log in the same directory'],
      };
    case 'no-driver':
      return {
        because: 'the executor could not load its Mesos driver',
        advice: ['read the traceback above that line: it names the module or library that is missing'],
      };
    case 'no-task':
      return {
        because: 'the executor started but received no task in time',
        advice: ['check that the agent is connected to the master; the scheduler starts the task elsewhere'],
      };
    default:
      return {
        because: 'something happened that its output does not explain',
        advice: [
          "read the other files in the directory, and search the agent's log for the name of the executor",
        ],
      };
  }
}
