"""The syntax tree of a config, whose syntax may be that of Python 2."""

import ast
import importlib.util
import sys

from _thermos.door import call, to_wire
from _thermos.python2 import METHODS, Division, Methods, named
from _thermos.translate import Translation


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


def end_line():
    """As at the end of any program in Python 2: ends the line that the last print statement has left."""
    if getattr(sys.stdout, 'softspace', False):
        _Print().end()


def _text(value):
    if isinstance(value, float) and type(value).__str__ is float.__str__:
        return call('float_text', to_wire(value))
    return value.decode(errors='replace') if isinstance(value, bytes) else str(value)


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


_FIND = '__find__'
_CAUGHT = '__caught__'

# What translate.py and this module write.
HELPERS = {
    _FIND: _find,
    '__print__': _Print,
    '__exec__': _exec,
    '__raised__': _raised,
    '__repr__': repr,
}


class _Targets(ast.NodeTransformer):
    """Assigns to the targets that are not names, and keeps the name of an exception after its handler."""

    def __init__(self, targets):
        self._targets = targets

    def visit_ExceptHandler(self, node):
        self.generic_visit(node)
        if node.name is None:
            return node
        target, value = self._targets.get(node.name), named(_CAUGHT, node)
        if isinstance(target, (ast.Tuple, ast.List)):
            value = ast.copy_location(ast.Attribute(value, 'args', ast.Load()), node)
        elif target is None:
            target = named(node.name, node, ast.Store())
        node.name = _CAUGHT
        node.body.insert(0, ast.copy_location(ast.Assign([target], value), node))
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        first = 1 if ast.get_docstring(node, clean=False) is not None else 0
        node.body[first:first] = [
            ast.copy_location(ast.Assign([target], named(name, node)), node)
            for name, target in self._parameters(node)
        ]
        return node

    def visit_Lambda(self, node):
        self.generic_visit(node)
        for name, target in reversed(self._parameters(node)):
            values = ast.copy_location(ast.List([named(name, node)], ast.Load()), node)
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
        return ast.copy_location(ast.Call(named(_FIND, node), [name], []), node)

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


def parse(source, path):
    """The syntax tree of a config, with the syntax, division and methods of Python 2.

    Only what Python 3 refuses to compile, or compiles by chance, is taken for syntax of Python 2. Raises
    SyntaxError for what is left; its line is that of the source.
    """
    try:
        tree, targets = ast.parse(source, path), None
    except SyntaxError as error:
        tree, targets = _translated(source, path, error)
    found = _features(tree)
    by_chance = 'statement' in found or 'except' in found
    if by_chance and targets is None and not _is_python3(tree):
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
            tree = _Targets(targets).visit(_Locals().visit(tree))
        if 'methods' in found:
            tree = Methods().visit(tree)
        if 'division' in found and not _has_division(tree):
            tree = Division().visit(tree)
        return tree
    finally:
        sys.setrecursionlimit(limit)


def _features(tree):
    """What is found in a tree: it is walked only once."""
    found = set()
    for node in ast.walk(tree):
        feature = _FEATURES.get(type(node))
        if feature is not None:
            found.add(feature(node))
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


_FEATURES = {
    ast.Div: lambda node: 'division',
    ast.Attribute: lambda node: 'methods' if node.attr in METHODS else None,
    ast.Expr: lambda node: 'statement' if _is_statement_of_python2(node) else None,
    ast.ExceptHandler: lambda node: 'except' if _is_except_of_python2(node) else None,
}


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
