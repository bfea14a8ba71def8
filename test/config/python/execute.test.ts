import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../src/config/limits.js';
import { ConfigError } from '../../../src/config/program.js';
import { REPOSITORY } from '../../e2e/harness.js';
import { DIST, type Result, type Run, runIn, shownIn } from './run.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'thermos-python-'));
  vi.stubEnv('XDG_CACHE_HOME', dir);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

const run = (source: string | Buffer, options?: Run): Promise<Result> => runIn(dir, source, options);
const shown = (source: string, options?: Run): Promise<unknown[]> => shownIn(dir, source, options);

describe('a config', () => {
  it('leaves what it exports, and its jobs', async () => {
    const process = "Process(name='p', cmdline='true')";
    expect(await run(`export(Task(processes=[${process}]))\nexport({'name': 'b'})`)).toMatchObject({
      exported: 2,
      hasJobs: false,
    });
    expect(await run('jobs = [Service()]', { dialect: 'aurora' })).toMatchObject({ hasJobs: true });
    expect(await run('job = Job()', { dialect: 'aurora' })).toMatchObject({ hasJobs: false });
  });

  it('sees the environment that it is given and no other', async () => {
    const environment = { HOME: '/home/x', USER: 'ünï', 'with space': 'a=b' };
    const source =
      'import os, getpass\nshow(dict(os.environ), os.getenv("PATH"), getpass.getuser(), os.path.expanduser("~"))';
    expect(await shown(source, { environment })).toEqual([environment, null, 'ünï', '/home/x']);
  });

  it('reads files below its working directory, by absolute paths and of the system', async () => {
    const files = { 'd/x.txt': 'hello\n', 'd/ü [1].bin': Buffer.from([0, 255, 10]) };
    const source = `
import os, glob, hashlib
show(open('d/x.txt').read(), open(os.path.join(os.getcwd(), 'd/x.txt')).readlines(), sorted(os.listdir('d')))
show(list(open('d/ü [1].bin', 'rb').read()), os.path.getsize('d/x.txt'), os.path.isdir('d'), os.path.exists('e'))
show(glob.glob('d/*.txt'), os.path.isfile('/etc/passwd'), open('/etc/passwd').read() != '')
show(os.getcwd(), hashlib.md5(open('d/x.txt', 'rb').read()).hexdigest())
f = open('d/x.txt'); f.seek(3); show(f.read(), f.tell())`;
    expect(await shown(source, { files })).toEqual([
      ...['hello\n', ['hello\n'], ['x.txt', 'ü [1].bin']],
      ...[[0, 255, 10], 6, true, false],
      ...[['d/x.txt'], true, true],
      ...[
        execFileSync('pwd', ['-P'], { cwd: dir, encoding: 'utf8' }).trim(),
        'b1946ac92492d2347c6235b4d2611184',
      ],
      ...['lo\n', 6],
    ]);
  });

  it('includes files from where it lies, and those include from where they lie', async () => {
    const files = {
      'parts/one.thermos': "one = 1\ninclude('deep/two.thermos')",
      'parts/deep/two.thermos': "two = one + 1\ninclude('../three.thermos')",
      'parts/three.thermos': 'three = two + 1',
    };
    expect(await shown("include('parts/one.thermos')\nshow(one, two, three)", { files })).toEqual([1, 2, 3]);
    const around = `try:\n  include('parts/none')\nexcept IOError: pass\ninclude('parts/three.thermos')\nshow(three)`;
    expect(await shown(`two = 5\n${around}`, { files })).toEqual([6]);
  });

  it('finds its names also in the modules where they were', async () => {
    const source = `
from pystachio import *
from pystachio.naming import frozendict
from apache.thermos.config.schema import Process as P, order as o
from apache.aurora.config.schema.base import Job
import pystachio
show(P is Process, o is order, pystachio.String is String, Job.__name__)`;
    expect(await shown(source)).toEqual([true, true, true, 'MesosJob']);
  });

  it('is text in UTF-8, or in Latin-1 if it is none', async () => {
    expect(await shown(`show('ü')`)).toEqual(['ü']);
    const latin1 = Buffer.from(`import json\nprint(json.dumps('ü'))  # ü`, 'latin1');
    expect((await run(latin1)).printed).toBe('"\\u00fc"\n');
    const declared = Buffer.from(`# -*- coding: latin-1 -*-\nimport json\nprint(json.dumps('ü'))`, 'latin1');
    expect((await run(declared)).printed).toBe('"\\u00fc"\n');
    expect((await run('\ufeffprint(1)\r\nprint(2)\r\n')).printed).toBe('1\n2\n');
  });
});

const PYTHON2_METHODS = `
import os, string
d = {'a': 1}
show(d.has_key('a') and os.environ.has_key('HOME') is False, list(d.iteritems()), d.keys() + d.values(), d.iterkeys().next())
for k in d.keys(): del d[k]
show([e for e in sorted({'y': 1, 'x': 2}.keys())])
l = [1, 3, 2]; l.sort(lambda a, b: cmp(b, a)); show(l)
show(sorted([1, 2], cmp=lambda a, b: cmp(b, a)), sorted(['A', 'b'], key=str.lower, reverse=True))
show(string.join(['a', 'b'], '-'), apply(string.atoi, ('7',)))
class D(dict):
    def keys(self): return 'mine'
class S(Struct):
    items = String
show(D().keys(), S(items='x').items().get())
try: [].iteritems()
except AttributeError as e: show(str(e))`;

describe('what Python 2 did', () => {
  it('is still so', async () => {
    const source = `
show(map(str, [1, 2]) + ['x'], filter(None, [0, 1]), zip([1], [2]), range(3) + [9])
show(xrange(3)[1], unicode('x'), isinstance('x', basestring), long(4), reduce(lambda a, b: a + b, [1, 2]))
show(7 / 2, -7 / 2, 7 / 2.0, round(2.5))
x = 9; x /= 2; show(x)`;
    expect(await shown(source)).toEqual([
      ...[['1', '2', 'x'], [1], [[1, 2]], [0, 1, 2, 9]],
      ...[1, 'x', true, 4, 3],
      ...[3, -4, 3.5, 3],
      4,
    ]);
    expect(await shown(PYTHON2_METHODS)).toEqual([
      ...[true, [['a', 1]], ['a', 1], 'a', ['x', 'y']],
      ...[[3, 2, 1], [2, 1], ['b', 'A'], 'a-b', 7],
      ...['mine', 'x', "'list' object has no attribute 'iteritems'"],
    ]);
    expect((await run('from __future__ import division\nprint(7 / 2)')).printed).toBe('3.5\n');
  });
});

describe('the way out of a config', () => {
  /** Python expressions and the exception that each of them meets. */
  const ATTEMPTS: Record<string, string> = {
    "os.system('touch out')": 'PermissionError',
    "os.popen('id').read()": 'PermissionError',
    "__import__('subprocess').check_output(['id'])": 'PermissionError',
    "__import__('subprocess').Popen('id', shell=True)": 'PermissionError',
    'os.fork()': 'PermissionError',
    "os.execv('/bin/ls', ['ls'])": 'PermissionError',
    'os.kill(os.getppid(), 9)': 'PermissionError',
    "__import__('socket').create_connection(('127.0.0.1', 1))": 'PermissionError',
    "__import__('socket').socket()": 'PermissionError',
    "__import__('_socket').socket.__mro__[1]().connect(('127.0.0.1', 1))": 'PermissionError',
    "__import__('urllib.request').request.urlopen('http://127.0.0.1:1/')": 'URLError',
    "__import__('js')": 'ModuleNotFoundError',
    "__import__('pyodide.code')": 'ModuleNotFoundError',
    "__import__('pyodide_js')": 'ModuleNotFoundError',
    "__import__('_pyodide_core')": 'ModuleNotFoundError',
    "__import__('ctypes')": 'ModuleNotFoundError',
    "__import__('threading').Thread(target=int).start()": 'RuntimeError',
    "open('out', 'w')": 'OSError',
    "open('x.txt', 'a')": 'OSError',
    "open('x.txt', 'r+')": 'OSError',
    "os.mkdir('out')": 'OSError',
    "os.unlink('x.txt')": 'OSError',
    "os.rename('x.txt', 'out')": 'OSError',
    "os.symlink('x.txt', 'out')": 'OSError',
    "os.chmod('x.txt', 0)": 'OSError',
    "os.truncate('x.txt', 0)": 'OSError',
    "os.utime('x.txt')": 'OSError',
    "os.open('out', os.O_CREAT)": 'OSError',
    'os.pipe()': 'PermissionError',
    "open('/dev/thermos.x', 'w')": 'OSError',
    "os.mkdir('/dev/shm/x')": 'OSError',
    "os.truncate('/lib/python314.zip', 10 ** 10)": 'OSError',
    "os.write(os.open('/lib/python314.zip', os.O_WRONLY), b'x')": 'OSError',
    "open('/dev/tty', 'w').write('x')": 'OSError',
    "open('/proc/self/mem', 'rb').read(1)": 'PermissionError',
    "open('/proc/kmsg').read(1)": 'PermissionError',
    "open('/dev/zero', 'rb').read()": 'FileNotFoundError',
    'input()': 'EOFError',
  };

  it('is closed, and nothing has been changed', async () => {
    const lines = Object.keys(ATTEMPTS).map((attempt) => `attempt(${JSON.stringify(attempt)})`);
    const source = `
import os
def attempt(code):
    try:
        eval(code)
        show([code, 'done'])
    except BaseException as error:
        show([code, type(error).__name__])
${lines.join('\n')}`;
    expect(await shown(source, { files: { 'x.txt': 'x' } })).toEqual(Object.entries(ATTEMPTS));
    expect(readdirSync(dir)).toEqual(['x.txt']);
    expect(readFileSync(join(dir, 'x.txt'), 'utf8')).toBe('x');
  });

  it.each([
    ['a JavaScript object', '_pyodide_core', 'module.to_js([1])'],
    ['a function by its address', '_ctypes', 'module.dlopen(None, 0); module.call_function(1, ())'],
  ])('stays closed when the module is dug out: %s', async (_, name, code) => {
    const source = `
import _imp, importlib.machinery
module = _imp.create_builtin(importlib.machinery.ModuleSpec(${JSON.stringify(name)}, None))
${code}
print('out')`;
    const { error, printed } = await run(source);
    expect(printed).not.toContain('out');
    expect(error).toBeInstanceOf(ConfigError);
  });

  it('has the modules of its own Python only, not those that this machine has for one', async () => {
    const own = `[path for path in sys.path if not path.endswith('.zip')]`;
    const source = `import os, sys, colorsys\nshow(${own}, [os.listdir(path) for path in ${own}], colorsys.__file__)`;
    expect(await shown(source)).toEqual([
      ['/lib/python3.14/lib-dynload', '/lib/python3.14/site-packages'],
      [[], []],
      '/lib/python314.zip/colorsys.py',
    ]);
  });

  it('leaves no JavaScript object behind for who looks for one', async () => {
    const source = `
import gc
found = [o for o in gc.get_objects() if 'JsProxy' in type(o).__name__ and not isinstance(o, type)]
show(len(found))`;
    expect(await shown(source)).toEqual([0]);
  });

  it('leaves a file open as long as one of its descriptors is', async () => {
    const source = `
import fcntl, os
first = os.open('x.txt', os.O_RDONLY)
second, third = os.dup(first), fcntl.fcntl(first, fcntl.F_DUPFD, 20)
os.close(first)
show(os.read(second, 2).decode(), os.read(third, 2).decode(), os.fstat(third).st_size)
os.dup2(third, second)
os.close(third)
show(os.read(second, 2).decode())
os.close(second)
for descriptor in (first, second, third):
    try:
        os.close(descriptor)
        show('closed')
    except OSError: show('was closed')`;
    expect(await shown(source, { files: { 'x.txt': 'abcdef' } })).toEqual([
      'ab',
      'cd',
      6,
      'ef',
      'was closed',
      'was closed',
      'was closed',
    ]);
  });

  it('opens only so many files at once, and as many again when they are closed', async () => {
    const source = `
def count():
    files = []
    try:
        while True: files.append(open('x.txt'))
    except OSError as error: return [len(files), error.strerror]
show(count(), count())`;
    const some = [LIMITS.open_files.most, 'No file descriptors available'];
    expect(await shown(source, { files: { 'x.txt': 'x' } })).toEqual([some, some]);
  });

  it('does not wait for a pipe', async () => {
    execFileSync('mkfifo', [join(dir, 'pipe')]);
    const { error } = await run("open('pipe').read()");
    expect(error).toMatchObject({ code: 'config-file' });
    expect(error?.message).toMatch(/line 1: pipe: permission denied/);
  });
});

describe('a config without end', () => {
  it.each([
    ['loops', 'while True: pass'],
    ['loops and holds on', 'while True:\n  try:\n    while True: pass\n  except BaseException: pass'],
    ['loops in the interpreter', 'import itertools\nsum(itertools.count())'],
    ['matches for ever', "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"],
    ['sleeps', 'import time\ntime.sleep(10 ** 6)'],
    ['builds and builds', "p = Process(name='a', cmdline='b')\nwhile True: p = p(name='c')"],
  ])('is stopped: %s', async (_, source) => {
    const { error } = await run(source, { limit: 300 });
    expect(error).toMatchObject({ code: 'config-endless', phase: 'load', exitCode: 2 });
    expect(error?.message).toMatch(/a\.thermos was still running after 0\.3 s/);
  });

  it.each([
    ['def f(x): return f(x)\nf(1)', /line 1: something calls itself/],
    ["include('a.thermos')", /the file includes itself$/],
    ["include('b.thermos')", /the file includes itself through/],
    ['x = []\nx.append(x)\nString(x)', /line 3: something calls itself/],
  ])('is reported when it calls itself: %j', async (source, message) => {
    const files = { 'a.thermos': source, 'b.thermos': "include('a.thermos')" };
    expect((await run(source, { files })).error?.message).toMatch(message);
  });

  it.each([
    ["while True: Process(name='x' * 10 ** 6, cmdline='y')"],
    ['p = Process()\nwhile True: p = p.bind(x=1)'],
  ])('is refused when what it makes needs more: %j', async (source) => {
    expect((await run(source, { limit: 150_000 })).error).toMatchObject({ code: 'config-memory' });
  });

  it('is refused when it wants more memory than there is for it', async () => {
    const { error } = await run("x = 'a' * (3 * 1000 ** 3 // 2)");
    expect(error).toMatchObject({ code: 'config-memory' });
  });
});

describe('what a config prints', () => {
  it('is shown up to a bound, and what is left out is counted', async () => {
    const source =
      "import sys\nfor i in range(1000): print('ü' * 100000, file=[sys.stdout, sys.stderr][i % 2])";
    const { printed, error } = await run(source);
    expect(error).toBeUndefined();
    expect(printed.length).toBeLessThan(LIMITS.printed.most);
    expect(printed).toMatch(/^ü+\n… and 199,9\d\d,\d\d\d more bytes, which are left out\n$/);
  });

  it('is also counted if the config fails or does not end', async () => {
    const much = "print('x' * 100000)\n";
    for (const end of ['raise ValueError(1)', 'while True: pass']) {
      const { printed, error } = await run(much + end, { limit: 1000 });
      expect(error).toBeInstanceOf(ConfigError);
      expect(printed).toMatch(/and [\d,]+ more bytes, which are left out\n$/);
    }
  });
});

describe('what is written to the door', () => {
  const FORGE = (text: string) => `
import os
fd = os.open('/dev/thermos', os.O_RDWR)
os.write(fd, ${text})
export(Task())`;

  it.each([
    ['nothing', `b''`],
    ['no text', `b'\\xff\\xfe\\x00'`],
    ['no operation', `b'nonsense\\n[]'`],
    ['no JSON', `b'export\\n{"garbled'`],
    ['other arguments', `b'export\\n[{"node":"x"}, 5]'`],
    ['a value of no kind', `b'jobs\\n[{"dict":5}]'`],
    ['an object that is not there', `b'export\\n[{"node":999999}, null]'`],
    ['a place that is none', `b'export\\n["x", [1, 2]]'`],
  ])('is refused if it is not a call: %s', async (_, text) => {
    const { error } = await run(FORGE(text));
    expect(error).toMatchObject({ code: 'config-forged', exitCode: 2 });
    expect(error?.message).toMatch(
      /a\.thermos.*: the config wrote something to \/dev\/thermos that is not a call \(/,
    );
  });

  it.each([
    ['too much', `b'export\\n["' + b'x' * 5 * 10 ** 6 + b'", null]'`],
    ['too deep', `b'export\\n[' + b'[' * 10 ** 6 + b']' * 10 ** 6 + b', null]'`],
  ])('is refused if it is %s', async (_, text) => {
    expect((await run(FORGE(text))).error).toMatchObject({ code: 'config-limit', exitCode: 2 });
  });

  it.each<[string, string, number?]>([
    ['is text', "'garbage'"],
    ['is another document', '\'{"type": 5}\''],
    ['is long', "'x' * 10 ** 8"],
    ['is not text', '5'],
    ['raises', '1 // 0'],
    ['does not end', 'loop()', 300],
  ])('may be spoiled at its other end: what tells of a failure %s', async (_, value, limit = 3000) => {
    const source = `
import json
def loop():
    while True: pass
json.dumps = lambda *a, **k: ${value}`;
    const { error } = await run(source, { limit });
    expect(error?.exitCode).toBe(2);
    expect(error?.message).toMatch(/^[^\n]*a\.thermos [^\n]*$/);
  });
});

describe('a config beyond a limit', () => {
  it('is reported with the line, and refused even if it catches the exception', async () => {
    const many = "a = Task(processes=[Process(name='a%d' % i, cmdline='x') for i in range(300)])\n";
    const raises = `${many}concat_tasks(a, Task(processes=[Process(name='b%d' % i, cmdline='x') for i in range(300)]))`;
    const { error } = await run(raises);
    expect(error).toMatchObject({ code: 'config-limit', phase: 'load', exitCode: 2 });
    expect(error?.message).toMatch(/a\.thermos:2: 40,001 constraints of a task are too many: at most 40,000/);
    const caught = `t = String\ntry:\n  while True: t = List(t)\nexcept Exception: pass\nexport(Task())`;
    expect((await run(caught)).error?.message).toMatch(/101 levels of nested values/);
  });

  it.each([
    ["raise ValueError('x' * 10 ** 7)"],
    ["x = 5\nx.append('y' * 10 ** 6 if x else 1)\n"],
    ["class A(Exception): __name__ = 5\nA.__name__ = 'A' * 10 ** 6\nraise A(1)"],
    ['e = OSError(1, 5)\ne.filename = 7\nraise e'],
    ['raise NameError(name=5)'],
    ["raise SyntaxError('x', ('a.thermos', 'no', 'number', 5))"],
    ['class E(Exception):\n  def __str__(self): return 5\nraise E()'],
  ])('is reported in a few words: %j', async (source) => {
    const { error } = await run(source);
    expect(error?.exitCode).toBe(2);
    expect(error?.code).not.toBe('config-interpreter');
    expect(error?.message.length).toBeLessThan(LIMITS.words.most + 200);
  });
});

describe('an error', () => {
  it.each([
    ['x = (1,\n', 'config-syntax', /a\.thermos, line 1: '\(' was never closed/],
    ['x = 1\ny = nothing', 'config-name', /line 2: name 'nothing' is not defined/],
    ['Proces()', 'config-name', /Did you mean: 'Process'\?/],
    ['import numpy', 'config-exception', /No module named 'numpy'/],
    ["raise Exception('so it is')", 'config-exception', /line 1: so it is/],
    ['import sys\nsys.exit(3)', 'config-exit', /line 2: the config exited: sys\.exit\(3\)/],
    ["open('none')", 'config-file', /line 1: none: no such file or directory/],
    ["open('out', 'w')", 'config-file', /line 1: out: read-only file system/],
    ['Task(nam=1)', 'config-exception', /line 1: Unknown schema attribute nam/],
    [
      "include('b.thermos')",
      'config-exception',
      /b\.thermos, line 2: .* \(included by .*a\.thermos, line 1\)/,
    ],
  ])('has its place: %j', async (source, code, message) => {
    const { error } = await run(source, { files: { 'b.thermos': 'x = 1\n1 // 0' } });
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toMatch(/Traceback|wasm|_thermos/);
  });
});

describe('a config that breaks the interpreter', () => {
  it.each([
    ['import os\nos._exit(3)', 'config-exit', /a\.thermos exited with the status 3$/],
    ['import os\nos.abort()', 'config-interpreter', /cannot be evaluated: Python crashed/],
    ['import builtins\nbuiltins.isinstance = None\nString(1)', 'config-interpreter', /cannot be evaluated/],
    [
      'import os\nfor i in range(3, 99):\n  try: os.close(i)\n  except OSError: pass\nString(1)',
      'config-file',
      /./,
    ],
  ])('gets one line: %j', async (source, code, message) => {
    const { error, printed } = await run(source);
    expect(error?.code).toBe(code);
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toMatch(/\n|Traceback|Object/);
    expect(printed).toBe('');
  });

  it('may close what it prints to', async () => {
    expect(await run('import sys\nsys.stdout = None\nexport(Task())')).toMatchObject({ exported: 1 });
    expect(await run('import sys\nsys.stdout.close()\nexport(Task())')).toMatchObject({ exported: 1 });
  });
});

describe('without what the build has prepared', () => {
  let bare: string;
  beforeEach(() => {
    // Where pyodide is found.
    const cache = join(REPOSITORY, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    bare = mkdtempSync(join(cache, 'thermos-test-'));
    for (const name of ['python.cjs', 'pyodide.js', 'pyodide.wasm'])
      copyFileSync(join(DIST, name), join(bare, name));
  });
  afterEach(() => rmSync(bare, { recursive: true, force: true }));

  // What else is not a snapshot of this build, see snapshot.test.ts. A start without one takes seconds.
  it('a config is evaluated all the same: the snapshot is cut in half', async () => {
    const snapshot = readFileSync(join(DIST, 'python.snapshot'));
    writeFileSync(join(bare, 'python.snapshot'), snapshot.subarray(0, snapshot.length / 2));
    const source = 'import random\nshow(Process(name="{{x}}").bind(x=1).name().get(), map(int, "12"))';
    expect(await shown(source, { dist: bare })).toEqual(['1', [1, 2]]);
  });

  it('a code cache of something else is not used', async () => {
    copyFileSync(join(DIST, 'python.snapshot'), join(bare, 'python.snapshot'));
    mkdirSync(join(bare, 'cache'));
    for (const name of readdirSync(join(DIST, 'cache'))) {
      writeFileSync(join(bare, 'cache', name), Buffer.alloc(5000, 1));
    }
    expect(await shown('show(1)', { dist: bare })).toEqual([1]);
  });
});
