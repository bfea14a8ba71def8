"""Executes a config and reports how it ended."""

import base64
import builtins
import importlib.machinery
import json
import linecache
import os
import sys
import traceback
import warnings

from _thermos import names, python2, syntax
from _thermos.door import at, call, sources, to_wire

# Python 3 warns about `x is 'a'` and '\d', Python 2 did not.
warnings.simplefilter('ignore')


class _Executor(object):
    """One root file and what it includes, executed into one table of names."""

    def __init__(self, dialect):
        self._including = []
        self.globals = names.namespace(dialect)
        self.globals['__builtins__'] = {
            **builtins.__dict__, **python2.BUILTINS, **syntax.HELPERS, 'execfile': self.execfile,
        }
        self.globals['include'] = self.include
        if dialect == 'thermos':
            self.globals['export'] = self.export
        _Module.builtins = self.globals['__builtins__']
        sys.path_hooks.insert(0, _modules_in)

    def export(self, task):
        call('export', to_wire(task), at())

    def include(self, path):
        name = os.path.join(os.path.dirname(self._including[-1]), path)
        with open(name, 'rb') as file:
            source = file.read()
        self.execute(name, source)

    def execfile(self, path, globals=None, locals=None):
        """Python 2's `execfile`: relative to the working directory."""
        with open(path, 'rb') as file:
            code = _compiled(path, file.read())
        exec(code, self.globals if globals is None else globals, locals)

    def execute(self, path, source):
        code = _compiled(path, source)
        self._including.append(path)
        try:
            exec(code, self.globals)
        finally:
            self._including.pop()


class _Module(importlib.machinery.SourceFileLoader):
    """A module beside a config: it is Python 2, too."""

    # Those of the config.
    builtins = None

    def get_code(self, name):
        path = self.get_filename(name)
        return _compiled(path, self.get_data(path))

    def exec_module(self, module):
        module.__dict__['__builtins__'] = self.builtins
        super().exec_module(module)


def _modules_in(directory):
    """For `sys.path_hooks`. The libraries of a Python 3 are what they are."""
    if '/python3' in directory or not os.path.isdir(directory):
        raise ImportError(directory)
    return importlib.machinery.FileFinder(directory, (_Module, ['.py']))


def _compiled(path, source):
    sources[path] = path
    return compile(syntax.parse(_decoded(source), path), path, 'exec', dont_inherit=True)


def _decoded(source):
    """Bytes that are not UTF-8 and have no declared encoding: Python 2 took them unchanged."""
    if b'coding' in b'\n'.join(source.split(b'\n', 2)[:2]):
        return source
    try:
        source.decode('utf-8')
    except UnicodeDecodeError:
        return source.decode('latin-1')
    return source


# Longer texts are cut off here; failure.ts accepts no more.
_MOST = 10000


def _failure(error):
    """What is known about an exception that left the config, for failure.ts."""
    failure = {
        'type': type(error).__name__,
        'mro': [cls.__name__[:100] for cls in type(error).__mro__[-50:]],
        'message': _message(error),
        'traceback': _traceback(error),
    }
    frames = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in sources
    ]
    if frames:
        failure['text'] = linecache.getline(*frames[-1]).strip()
        failure['path'], failure['line'] = sources[frames[-1][0]], frames[-1][1]
        failure['included_from'] = [[sources[path], line] for path, line in frames[-1001:-1]]
    if isinstance(error, SyntaxError) and error.filename in sources:
        failure['path'] = sources[error.filename]
        failure['line'] = error.lineno
        failure['message'] = error.msg
        failure['text'] = error.text
    if isinstance(error, OSError):
        failure['strerror'] = error.strerror
        failure['file'] = error.filename if isinstance(error.filename, str) else None
    if isinstance(error, NameError):
        failure['name'] = error.name
    if isinstance(error, ImportError):
        failure['name'] = error.name
    if isinstance(error, SystemExit):
        failure['message'] = '' if error.code is None else str(error.code)
    for key in ('type', 'message', 'text', 'strerror', 'file', 'name'):
        if key in failure:
            failure[key] = _beginning(failure[key])
    failure['message'] = failure['message'] or ''
    if not isinstance(failure.get('line'), int):
        failure.pop('line', None)
    return failure


def _beginning(text):
    """An exception contains whatever the config put into it."""
    return str(text[:_MOST]) if isinstance(text, str) else None


def _traceback(error):
    try:
        return ''.join(traceback.format_exception(error, limit=-40))[-_MOST:]
    except Exception:
        # There is not enough memory, or the config has replaced the function.
        return ''


def _message(error):
    """`str(error)`, with Python's suggestion for a misspelled name."""
    try:
        text = ''.join(traceback.TracebackException.from_exception(error).format_exception_only()).strip()
        return text.partition(': ')[2] if isinstance(error, (NameError, AttributeError)) else str(error)
    except Exception as another:
        return '%s while its message was made' % type(another).__name__


def execute(program):
    """Takes and returns text: JSON of {path, dialect, source (base64)}, and of a failure or None."""
    program = json.loads(program)
    failure = None
    try:
        executor = _Executor(program['dialect'])
        executor.execute(program['path'], base64.b64decode(program['source']))
        if program['dialect'] == 'aurora' and 'jobs' in executor.globals:
            call('jobs', to_wire(executor.globals['jobs']))
    except BaseException as error:
        failure = _failure(error)
    for finish in (syntax.end_line, lambda: sys.stdout.flush(), lambda: sys.stderr.flush()):
        try:
            finish()
        except Exception:
            # The config has closed or replaced it.
            pass
    return json.dumps(failure)
