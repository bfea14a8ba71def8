"""What a config sees of the machine that evaluates it: files, the environment, the user. Nothing more."""

import gc
import importlib
import importlib.abc
import importlib.util
import json
import os
import posix
import subprocess
import sys
import time
import types as python_types

from _thermos.door import open_door

# Ways out of the interpreter. The wall is below Python (boundary.ts); this provides the messages.
_BARRED = {
    'js': 'JavaScript',
    'pyodide': 'JavaScript',
    'pyodide_js': 'JavaScript',
    '_pyodide': 'JavaScript',
    '_pyodide_core': 'JavaScript',
    'ctypes': 'machine code',
    '_ctypes': 'machine code',
}

# Modules that have another name in Python 3.
_RENAMED = {
    '__builtin__': 'builtins',
    'ConfigParser': 'configparser',
    'StringIO': 'io',
    'cStringIO': 'io',
    'cPickle': 'pickle',
    'urlparse': 'urllib.parse',
}


class _Barred(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        reason = _BARRED.get(name.partition('.')[0])
        if reason is not None:
            raise ModuleNotFoundError(
                "No module named %r: a config has no access to %s" % (name, reason), name=name
            )
        return None


class _Renamed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in _RENAMED else None

    def create_module(self, spec):
        return importlib.import_module(_RENAMED[spec.name])

    def exec_module(self, module):
        pass


def _refuse(what):
    def refused(*args, **keywords):
        raise PermissionError('a config cannot %s' % what)

    return refused


def _no_processes():
    refused = _refuse('start processes')
    names = 'system fork forkpty posix_spawn posix_spawnp execv execve'.split()
    for module in (posix, os):
        for name in names + ['popen', 'execl', 'execle', 'execlp', 'execvp', 'execvpe', 'spawnv', 'spawnl']:
            if hasattr(module, name):
                setattr(module, name, refused)
    subprocess.Popen.__init__ = refused


def _no_sockets():
    import _socket

    refused = _refuse('open sockets')

    class socket(_socket.socket):
        def __init__(self, *args, **keywords):
            refused()

    _socket.socket = _socket.SocketType = socket


def _passwd(users):
    """The module `pwd`, from the lines of /etc/passwd: `getpass.getuser` and `expanduser` use it."""
    pwd = python_types.ModuleType('pwd')

    class struct_passwd(tuple):
        __slots__ = ()
        names = ('pw_name', 'pw_passwd', 'pw_uid', 'pw_gid', 'pw_gecos', 'pw_dir', 'pw_shell')

        def __getattr__(self, name):
            if name not in self.names:
                raise AttributeError(name)
            return self[self.names.index(name)]

    def getpwall():
        entries = []
        try:
            with open('/etc/passwd', encoding='utf-8', errors='surrogateescape') as lines:
                for line in lines:
                    field = line.rstrip('\n').split(':')
                    if len(field) == 7 and field[2].isdigit() and field[3].isdigit():
                        field[2:4] = int(field[2]), int(field[3])
                        entries.append(struct_passwd(field))
        except OSError:
            pass
        return entries

    def find(index, key, text):
        for entry in getpwall():
            if entry[index] == key:
                return entry
        raise KeyError(text % (key,))

    pwd.struct_passwd = struct_passwd
    pwd.getpwall = getpwall
    pwd.getpwuid = lambda uid: find(2, uid, 'getpwuid(): uid not found: %s')
    pwd.getpwnam = lambda name: find(0, name, 'getpwnam(): name not found: %r')
    return pwd


def prepare():
    """Does what can be kept in the memory snapshot."""
    sys.modules['pwd'] = _passwd(None)
    sys.meta_path.append(_Renamed())
    sys.dont_write_bytecode = True
    # In a snapshot it would be seeded once for all runs.
    sys.modules.pop('random', None)


def start(host):
    """Does what differs from run to run: `host` is JSON of {environment, cwd, uid, gid, pid, hostname}."""
    open_door()
    host = json.loads(host)
    os.environ.clear()
    for name, value in host['environment'].items():
        if name and '=' not in name and '\0' not in name + value:
            os.environ[name] = value
    os.chdir(host['cwd'])
    if hasattr(time, 'tzset'):
        time.tzset()
    for name in ('getuid', 'geteuid'):
        setattr(os, name, lambda: host['uid'])
    for name in ('getgid', 'getegid'):
        setattr(os, name, lambda: host['gid'])
    os.getpid = lambda: host['pid']
    _machine(host['hostname'])


def _machine(hostname):
    import _socket

    _socket.gethostname = lambda: hostname
    uname = os.uname()
    replaced = os.uname_result(('Linux', hostname) + tuple(uname)[2:])
    os.uname = lambda: replaced
    sys.platform = 'linux'
    if 'socket' in sys.modules:
        sys.modules['socket'].gethostname = _socket.gethostname


def leave_javascript():
    """Does the last of what can be kept in the memory snapshot; nothing of Pyodide's own works after it."""
    sys.path[:] = [path for path in sys.path if path]
    _no_processes()
    _no_sockets()
    for name in list(sys.modules):
        if name.partition('.')[0] in _BARRED:
            del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if '_importhook' not in type(finder).__module__]
    sys.meta_path.insert(0, _Barred())
    gc.collect()
