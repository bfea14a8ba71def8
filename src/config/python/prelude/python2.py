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
import itertools
import os
import string
import sys
import urllib.parse


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
METHODS = {
    'has_key', 'iteritems', 'iterkeys', 'itervalues', 'viewitems', 'viewkeys', 'viewvalues',
    'items', 'keys', 'values', 'next', 'sort',
}

_DIVIDE = '__divide__'
_CALL = '__call__'

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
}


def named(name, node, context=None):
    return ast.copy_location(ast.Name(name, context or ast.Load()), node)


class Methods(ast.NodeTransformer):
    def visit_Call(self, node):
        self.generic_visit(node)
        method = node.func
        if not isinstance(method, ast.Attribute) or method.attr not in METHODS:
            return node
        name = ast.copy_location(ast.Constant(method.attr), method)
        return ast.copy_location(
            ast.Call(named(_CALL, method), [method.value, name, *node.args], node.keywords), node
        )


class Division(ast.NodeTransformer):
    def visit_BinOp(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return self._call(node, node.left, node.right)

    def visit_AugAssign(self, node):
        self.generic_visit(node)
        # The target is evaluated twice.
        if not isinstance(node.op, ast.Div) or _has_call(node.target):
            return node
        old = copy.copy(node.target)
        old.ctx = ast.Load()
        return ast.copy_location(ast.Assign([node.target], self._call(node, old, node.value)), node)

    def _call(self, node, left, right):
        return ast.copy_location(ast.Call(named(_DIVIDE, node), [left, right], []), node)


def _has_call(node):
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


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
