import { describe, expect, test } from 'vitest';
import { explain, startFailureIn } from '../../src/doctor/executor-output.js';
import { linesOf } from '../../src/doctor/file-tail.js';

const failureIn = (text: string) => startFailureIn(linesOf({ text, offset: 0 }));

const TRACEBACK = `I0521 10:00:00.000000 fetcher.cpp:498] Fetched
Traceback (most recent call last):
  File "main.py", line 46, in <module>
    from mesos.executor import MesosExecutorDriver
ImportError: libsasl2.so.3: cannot open shared object file: No such file or directory
Usage: __main__.py [options]
__main__.py: error: Could not load MesosExecutorDriver!
`;

test('the library that the traceback names, not the error that follows from it', () => {
  expect(failureIn(TRACEBACK)).toEqual({
    code: 'missing-library',
    subject: 'libsasl2.so.3',
    line: {
      text: 'ImportError: libsasl2.so.3: cannot open shared object file: No such file or directory',
      line: 5,
    },
  });
});

test.each([
  [
    'thermos_executor: error while loading shared libraries: libapr-1.so.0: cannot',
    'missing-library',
    'libapr-1.so.0',
  ],
  [
    "python: /lib/libc.so.6: version `GLIBC_2.28' not found (required by python)",
    'old-library',
    'GLIBC_2.28',
  ],
  ['ImportError: No module named mesos.native', 'mesos-egg', 'mesos.native'],
  ['/usr/bin/env: python2.7: No such file or directory', 'no-python', 'python2.7'],
  ['/usr/bin/env: ‘python2.7’: No such file or directory', 'no-python', 'python2.7'],
  ['/bin/sh: 1: python2.7: not found', 'no-python', 'python2.7'],
  ['bash: python: command not found', 'no-python', 'python'],
  ['Could not create sandbox because user does not exist: www-data', 'unknown-user', 'www-data'],
  [
    "Failed to fetch '/opt/thermos_executor.pex': Failed to copy",
    'fetch-failed',
    '/opt/thermos_executor.pex',
  ],
  ['sh: 1: ./thermos_executor.pex: Permission denied', 'not-executable', 'thermos_executor.pex'],
  ['IOError: [Errno 28] No space left on device', 'no-space', undefined],
  ['MemoryError', 'out-of-memory', undefined],
  ['Timed out waiting for sandbox to initialize!', 'sandbox-failed', undefined],
  ['Task initialization failed: bad json', 'task-failed-to-start', undefined],
  ['thermos: error: Could not load MesosExecutorDriver!', 'no-driver', undefined],
  ['Executor timing out.', 'no-task', undefined],
])('%s', (line, code, subject) => {
  const failure = failureIn(`before\n${line}\nafter\n`);
  expect(failure).toMatchObject({ code, line: { line: 2, text: line } });
  expect(failure?.subject).toBe(subject);
  for (const docker of [true, false]) {
    const { because, advice } = explain(failure as NonNullable<typeof failure>, docker);
    expect(because).not.toContain('undefined');
    expect(advice.length).toBeGreaterThan(0);
    expect(because).not.toBe(explain({ code: 'unknown' }, docker).because);
  }
});

test.each([
  '',
  'Registered executor on node-1\nStarting task',
  'I0521 python2.7 is used',
  'No module named foo',
])('says nothing of %j', (text) => {
  expect(failureIn(text)).toBeUndefined();
});

test('in a Docker image it is the image that must bring it', () => {
  const { because, advice } = explain({ code: 'missing-library', subject: 'libsasl2.so.3' }, true);
  expect(because).toBe('the library libsasl2.so.3 is missing in the Docker image of the task');
  expect(advice[0]).toBe(
    'install libsasl2-2 (Debian), cyrus-sasl-lib (Red Hat) in the Docker image of the task',
  );
});

describe('lines of the end of a file', () => {
  test('are numbered if it is all of it', () => {
    expect(linesOf({ text: 'a\nb\n', offset: 0 })).toEqual([
      { text: 'a', line: 1 },
      { text: 'b', line: 2 },
    ]);
  });

  test('have offsets if not, and the first, which may be cut, is left out', () => {
    expect(linesOf({ text: 'rest\nä\nc', offset: 100 })).toEqual([
      { text: 'ä', offset: 105 },
      { text: 'c', offset: 108 },
    ]);
  });

  test('the first begins after the NULs that a rotated file has', () => {
    expect(linesOf({ text: '\0\0\0a\nb', offset: 100 })).toEqual([
      { text: 'a', offset: 103 },
      { text: 'b', offset: 105 },
    ]);
    expect(linesOf({ text: '\0\0a\n', offset: 0 })).toEqual([{ text: 'a', line: 1 }]);
  });

  test('a line without end is cut, and takes no time', () => {
    const [line] = linesOf({ text: 'ImportError: lib'.repeat(1e6), offset: 0 });
    expect(line?.text.length).toBe(4096);
    expect(startFailureIn([line as { text: string }])).toBeUndefined();
  });
});
