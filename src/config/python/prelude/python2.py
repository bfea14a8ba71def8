"""What Python 2 had or did differently, as far as old configs rely on it."""

import ast
import builtins
import collections
import collections.abc
import copy
import decimal
import functools
import hashlib
import importlib
import importlib.util
import itertools
import os
import string
import sys
import urllib.parse

from _thermos.door import call, to_wire
from _thermos.translate import Translation


def _map(function, *iterables):
    if function is None:
        return [items[0] if len(items) == 1 else items for items in builtins.zip(*iterables)]
    return list(builtins.map(function, *iterables))


def _filter(function, iterable):
    kept = builtins.filter(function, iterable)
    if isinstance(iterable, str):
        return ''.join(kept)
    return tuple(kept) if isinstance(iterable, tuple) else list(kept)


def _zip(*iterables, **keywords):
    return list(builtins.zip(*iterables, **keywords))


def _range(*args):
    return list(builtins.range(*args))


def _round(number, ndigits=0):
    """Halves were rounded away from zero, and the result was a float."""
    try:
        digit = decimal.Decimal(1).scaleb(-ndigits)
        return float(decimal.Decimal(number).quantize(digit, decimal.ROUND_HALF_UP))
    except decimal.InvalidOperation:
        return float(number)


def _cmp(a, b):
    return (a > b) - (a < b)


def _divide(a, b):
    """For two integers: rounded down to an integer."""
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


class _Print(object):
    """A print statement; it is called with each value."""

    def __init__(self, file=None):
        self._file = sys.stdout if file is None else file

    def __call__(self, value):
        text = _text(value)
        if getattr(self._file, 'softspace', 0):
            self._file.write(' ')
        self._file.write(text)
        is_space = isinstance(value, str) and value[-1:].isspace() and value[-1:] != ' '
        self._set_softspace(not is_space)
        return self

    def end(self):
        self._file.write('\n')
        self._set_softspace(False)

    def _set_softspace(self, softspace):
        """Whether the next value on the line is written after a blank."""
        try:
            self._file.softspace = softspace
        except (AttributeError, TypeError):
            # The file takes no attributes.
            pass


def _text(value):
    if isinstance(value, float) and type(value).__str__ is float.__str__:
        return call('float_text', to_wire(value))
    return str(value)


def _exec(code, globals=None, locals=None):
    """The exec statement."""
    if isinstance(code, tuple) and len(code) in (2, 3) and globals is None:
        code, globals, locals = (*code, None)[:3]
    caller = sys._getframe(1)
    if globals is None:
        globals, locals = caller.f_globals, caller.f_locals if locals is None else locals
    if hasattr(code, 'read'):
        code = code.read()
    if isinstance(code, (str, bytes)):
        code = compile(parse(code, '<string>'), '<string>', 'exec', dont_inherit=True)
    globals.setdefault('__builtins__', caller.f_builtins)
    exec(code, globals, globals if locals is None else locals)


def _find(name):
    """A name in a function whose local variables are made by exec."""
    caller = sys._getframe(1)
    for names in (caller.f_locals, caller.f_globals, caller.f_builtins):
        if name in names:
            return names[name]
    raise NameError("name '%s' is not defined" % name, name=name)


def _raised(kind, value=None, traceback=None):
    """The exception of `raise kind, value, traceback`."""
    if not isinstance(kind, type):
        if value is not None:
            raise TypeError('instance exception may not have a separate value')
        error = kind
    elif isinstance(value, kind):
        error = value
    elif value is None:
        error = kind()
    else:
        error = kind(*value) if isinstance(value, tuple) else kind(value)
    return error if traceback is None else error.with_traceback(traceback)


def _sorted(iterable, cmp=None, key=None, reverse=False):
    return sorted(iterable, key=_key(cmp, key), reverse=reverse)


def _key(cmp, key):
    if cmp is None:
        return key
    compared = functools.cmp_to_key(cmp)
    return compared if key is None else lambda item: compared(key(item))


def _sort(items, cmp=None, key=None, reverse=False):
    items.sort(key=_key(cmp, key), reverse=reverse)


def _apply(function, args=(), keywords=None):
    return function(*args, **(keywords or {}))


def _call(value, name, *args, **keywords):
    """A method by its name in Python 2, if the value has no method of this name."""
    if name == 'sort' and isinstance(value, list):
        return _sort(value, *args, **keywords)
    if not hasattr(value, name):
        if name == 'next' and not args:
            return next(value)
        if name == 'has_key' and isinstance(value, collections.abc.Mapping):
            return value.__contains__(*args)
        if name[:4] in ('iter', 'view') and isinstance(value, collections.abc.Mapping):
            view = getattr(value, name[4:])()
            return iter(view) if name[:4] == 'iter' else view
    result = getattr(value, name)(*args, **keywords)
    return list(result) if isinstance(result, collections.abc.MappingView) else result


# Methods of dicts, lists and iterators that are gone or behave differently.
_METHODS = {
    'has_key', 'iteritems', 'iterkeys', 'itervalues', 'viewitems', 'viewkeys', 'viewvalues',
    'items', 'keys', 'values', 'next', 'sort',
}

_DIVIDE = '__divide__'
_CALL = '__call__'
_FIND = '__find__'
_CAUGHT = '__caught__'

BUILTINS = {
    'map': _map,
    'filter': _filter,
    'zip': _zip,
    'range': _range,
    'sorted': _sorted,
    'apply': _apply,
    'round': _round,
    'cmp': _cmp,
    'xrange': builtins.range,
    'unicode': str,
    'basestring': str,
    'long': int,
    'unichr': chr,
    'file': open,
    'raw_input': input,
    'reduce': functools.reduce,
    'intern': sys.intern,
    'reload': importlib.reload,
    _DIVIDE: _divide,
    _CALL: _call,
    _FIND: _find,
    # What translate.py writes.
    '__print__': _Print,
    '__exec__': _exec,
    '__raised__': _raised,
    '__repr__': repr,
}


class _Methods(ast.NodeTransformer):
    def visit_Call(self, node):
        self.generic_visit(node)
        method = node.func
        if not isinstance(method, ast.Attribute) or method.attr not in _METHODS:
            return node
        name = ast.copy_location(ast.Constant(method.attr), method)
        return ast.copy_location(
            ast.Call(_name(_CALL, method), [method.value, name, *node.args], node.keywords), node
        )


class _Division(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return self._call(node, node.left, node.right)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div) or any(isinstance(part, ast.Call) for part in ast.walk(node.target)):
            return node
        old = copy.copy(node.target)
        old.ctx = ast.Load()
        return ast.copy_location(ast.Assign([node.target], self._call(node, old, node.value)), node)

    def _call(self, node, left, right):
        return ast.copy_location(ast.Call(_name(_DIVIDE, node), [left, right], []), node)


class _Targets(ast.NodeTransformer):
    """Assigns to the targets that are not names, and keeps the name of a caught exception after its handler."""

    def __init__(self, targets):
        self._targets = targets

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        if node.name is None:
            return node
        target, value = self._targets.get(node.name), _name(_CAUGHT, node)
        if isinstance(target, (ast.Tuple, ast.List)):
            value = ast.copy_location(ast.Attribute(value, 'args', ast.Load()), node)
        elif target is None:
            target = _name(node.name, node, ast.Store())
        node.name = _CAUGHT
        node.body.insert(0, ast.copy_location(ast.Assign([target], value), node))
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        first = 1 if ast.get_docstring(node, clean=False) is not None else 0
        node.body[first:first] = [
            ast.copy_location(ast.Assign([target], _name(name, node)), node)
            for name, target in self._parameters(node)
        ]
        return node

    def visit_Lambda(self, node):
        self.generic_visit(node)
        for name, target in reversed(self._parameters(node)):
            values = ast.copy_location(ast.List([_name(name, node)], ast.Load()), node)
            each = ast.comprehension(target, values, [], 0)
            results = ast.copy_location(ast.ListComp(node.body, [each]), node)
            first = ast.copy_location(ast.Constant(0), node)
            node.body = ast.copy_location(ast.Subscript(results, first, ast.Load()), node)
        return node

    def _parameters(self, node):
        names = [arg.arg for arg in node.args.args]
        return [(name, self._targets[name]) for name in names if name in self._targets]


class _Locals(ast.NodeTransformer):
    """In functions with an exec statement: finds the variables that it makes."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        if any(_is_bare_exec(part) for part in _scope(node)):
            known = {arg.arg for arg in ast.walk(node.args) if isinstance(arg, ast.arg)}
            for part in _scope(node):
                if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                    known.add(part.id)
                elif isinstance(part, ast.Global):
                    known.update(part.names)
            node.body = [_Lookups(known).visit(statement) for statement in node.body]
        return node


class _Lookups(ast.NodeTransformer):
    def __init__(self, known):
        self._known = known

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load) or node.id in self._known or node.id.startswith('__'):
            return node
        name = ast.copy_location(ast.Constant(node.id), node)
        return ast.copy_location(ast.Call(_name(_FIND, node), [name], []), node)

    def _leave(self, node):
        return node

    visit_FunctionDef = visit_Lambda = visit_ClassDef = visit_GeneratorExp = _leave


def _scope(node):
    """The nodes of a function, without those of functions and classes in it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)):
            yield from _scope(child)


def _is_bare_exec(node):
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return is_call and node.func.id == '__exec__' and len(node.args) == 1


def _name(name, node, context=None):
    return ast.copy_location(ast.Name(name, context or ast.Load()), node)


def parse(source, path):
    """The syntax tree of a config, with the syntax, division and methods of Python 2.

    Only what Python 3 refuses to compile, or compiles by chance, is taken for syntax of Python 2. Raises SyntaxError
    for what is left; its line is that of the source.
    """
    try:
        tree, targets = ast.parse(source, path), None
    except SyntaxError as error:
        tree, targets = _translated(source, path, error)
    found = _features(tree)
    if 'chance' in found and targets is None and not _is_python3(tree):
        try:
            tree, targets = _translated(source, path, None)
            found = _features(tree)
        except SyntaxError:
            # It is not Python 2 either.
            pass
    if 'except' in found:
        _refuse_except(tree, path)
    limit = sys.getrecursionlimit()
    # The tree of a sum of many texts is as deep as the sum is long.
    sys.setrecursionlimit(limit * 20)
    try:
        if targets is not None:
            tree = _Locals().visit(tree)
        if 'caught' in found or targets:
            tree = _Targets(targets or {}).visit(tree)
        if 'methods' in found:
            tree = _Methods().visit(tree)
        if 'division' in found and not _has_division(tree):
            tree = _Division().visit(tree)
        return tree
    finally:
        sys.setrecursionlimit(limit)


def _features(tree):
    """What is found in a tree: it is walked only once."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Div):
            found.add('division')
        elif isinstance(node, ast.Attribute):
            if node.attr in _METHODS:
                found.add('methods')
        elif isinstance(node, ast.Expr):
            if _is_statement_of_python2(node):
                found.add('chance')
        elif isinstance(node, ast.ExceptHandler):
            if _is_except_of_python2(node):
                found.update(('except', 'chance'))
            if node.name is not None:
                found.add('caught')
    return found


def _is_statement_of_python2(node):
    """`print` or `exec` at the beginning of what is more than a call: `print >>file, x`, `print (a), b`."""
    first = node.value
    if isinstance(first, ast.Call) and isinstance(first.func, ast.Name):
        return False
    while not isinstance(first, ast.Name):
        first = _leftmost(first)
        if first is None:
            return False
    place = (node.lineno, node.col_offset)
    return first.id in ('print', 'exec') and (first.lineno, first.col_offset) == place


def _leftmost(node):
    if isinstance(node, (ast.BinOp, ast.Compare)):
        return node.left
    if isinstance(node, (ast.Attribute, ast.Subscript)):
        return node.value
    if isinstance(node, ast.Call):
        return node.func
    if isinstance(node, ast.BoolOp):
        return node.values[0]
    if isinstance(node, ast.Tuple) and node.elts:
        return node.elts[0]
    return node.body if isinstance(node, ast.IfExp) else None


def _is_except_of_python2(node):
    """`except X, e`: in Python 3.14 a tuple without parentheses."""
    if not isinstance(node.type, ast.Tuple) or not node.type.elts:
        return False
    # In parentheses the tuple starts before its first element.
    first = node.type.elts[0]
    return (node.type.lineno, node.type.col_offset) == (first.lineno, first.col_offset)


def _refuse_except(tree, path):
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_except_of_python2(node):
            error = SyntaxError('except X, e no longer means what it did in Python 2')
            error.filename, error.lineno, error.text = path, node.lineno, 'except X, e:'
            raise error


_PYTHON3 = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Nonlocal, ast.Match)


def _is_python3(tree):
    """True if Python 2 would not have compiled it."""
    fields = 'annotation', 'returns', 'cause', 'kwonlyargs'
    return any(
        isinstance(node, _PYTHON3) or any(getattr(node, field, None) for field in fields)
        for node in ast.walk(tree)
    )


def _translated(source, path, refused):
    """The tree of what translate.py makes of a source, and its targets.

    Raises the error of Python 3 if nothing can be translated.
    """
    try:
        text = _source_text(source)
    except (SyntaxError, UnicodeError):
        raise refused from None
    translation = Translation(text)
    if translation.text == text or (refused is None and translation.prints_as_name):
        raise refused or SyntaxError('this is not Python 2')
    try:
        tree = ast.parse(translation.text, path)
        targets = {name: _target(target) for name, target in translation.targets.items()}
    except SyntaxError as error:
        _quote_original(error, text, translation.text)
        raise
    return tree, targets


def _source_text(source):
    text = source if isinstance(source, str) else importlib.util.decode_source(source)
    return text.replace('\r\n', '\n').replace('\r', '\n')


def _target(text):
    return ast.parse('(%s) = 0' % text).body[0].targets[0]


def _quote_original(error, original, translated):
    """Shows the line of the source, without a place in it if it was rewritten."""
    if error.lineno is None:
        return
    index = error.lineno - 1
    error.text, line = ((text.split('\n') + [''] * error.lineno)[index] for text in (original, translated))
    if error.text != line:
        error.offset = error.end_offset = None


def _has_division(tree):
    return any(
        isinstance(node, ast.ImportFrom)
        and node.module == '__future__'
        and any(alias.name == 'division' for alias in node.names)
        for node in tree.body
    )


def _hash_of_text(name):
    original = getattr(hashlib, name)

    @functools.wraps(original)
    def constructor(data=b'', **keywords):
        return original(data.encode() if isinstance(data, str) else data, **keywords)

    setattr(hashlib, name, constructor)


def restore():
    """Restores names that modules had. Called once."""
    sys.maxint = sys.maxsize
    os.getcwdu = os.getcwd
    itertools.imap, itertools.ifilter, itertools.izip = builtins.map, builtins.filter, builtins.zip
    string.letters = string.ascii_letters
    string.lowercase, string.uppercase = string.ascii_lowercase, string.ascii_uppercase
    names = 'capitalize find replace rstrip split strip lstrip lower upper swapcase zfill ljust rjust'
    for name in names.split():
        setattr(string, name, getattr(str, name))
    string.join = lambda words, sep=' ': sep.join(words)
    string.atoi, string.atof = int, float
    for name in collections.abc.__all__:
        setattr(collections, name, getattr(collections.abc, name))
    for name in ('quote', 'quote_plus', 'unquote', 'unquote_plus', 'urlencode'):
        setattr(sys.modules['urllib'], name, getattr(urllib.parse, name))
    for name in ('md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'):
        _hash_of_text(name)
