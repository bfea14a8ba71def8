"""Rewrites the syntax that only Python 2 had.

The result has the lines of the source. The names with two underscores on either side are in syntax.py.
"""

import re

_TOKEN = re.compile(
    r'''
    (?P<space>(?:[ \t\f]|\\\n)+)
    | (?P<comment>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<string>(?:[uU][rR]?|[bB][rR]?|[rR])?(?:
        """(?:[^"\\]|\\.|"(?!""))*+"""
        | \'\'\'(?:[^'\\]|\\.|'(?!''))*+\'\'\'
        | "(?:[^"\\\n]|\\.)*+"
        | '(?:[^'\\\n]|\\.)*+'
      ))
    | (?P<number>
        0[xX][\da-fA-F]+[lL]? | 0[bBoO]\d+[lL]?
        | (?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[jJ]? | \d+[eE][+-]?\d+[jJ]? | \d+[jJlL]?
      )
    | (?P<name>\w+)
    | (?P<other><>|>>=?|.)
    ''',
    re.DOTALL | re.VERBOSE,
)

_OPENING, _CLOSING = {'(', '[', '{'}, {')', ']', '}'}
_PREFIX = re.compile('[a-zA-Z]*')
_OCTAL = re.compile('0[0-7]*[1-7][0-7]*')
_ESCAPE = re.compile(r'\\(.)', re.DOTALL)
_RAW_ESCAPE = re.compile(r'((?:\\\\)*)(\\u[\da-fA-F]{4}|\\U[\da-fA-F]{8})|\\+')
# Words after which an expression begins.
_BEFORE_OPERAND = {
    'and', 'assert', 'elif', 'else', 'exec', 'for', 'if', 'in', 'is', 'lambda', 'not', 'or', 'print', 'raise',
    'return', 'while', 'with', 'yield',
}


class _Token(object):
    """`new` is what becomes of its text, `depth` the number of brackets around it."""

    __slots__ = ('index', 'kind', 'text', 'new', 'depth')

    def __init__(self, index, kind, text, depth):
        self.index = index
        self.kind = kind
        self.text = self.new = text
        self.depth = depth


class Translation(object):
    """The rewritten text, and what a rewriting of text alone cannot do.

    `targets` has the source of each target that was replaced by a name: of parameters that are tuples, and of
    exceptions that are not caught as a name. `prints_as_name` is true if `print` is not only a statement.
    """

    def __init__(self, source):
        self.targets = {}
        self.prints_as_name = False
        self._tokens = _tokens(source)
        statements = list(_statements(self._tokens))
        self._future = _future(statements)
        self._rewrite_words()
        for statement in statements:
            self._rewrite_statement(statement)
        self.text = ''.join(token.new for token in self._tokens)

    def _rewrite_words(self):
        """What can be rewritten wherever it is."""
        line_begins = True
        for token in self._tokens:
            if token.kind == 'string':
                token.new = self._string(token.text)
            elif token.kind == 'number':
                token.new = _number(token.text)
            elif token.text == '<>':
                token.new = '!='
            elif token.kind == 'space' and line_begins and token.depth == 0 and '\f' not in token.text:
                token.new = token.text.expandtabs(8)
            line_begins = token.kind == 'newline'
        significant = [token for token in self._tokens if not _is_blank(token)]
        _rewrite_backticks(significant)
        for i, token in enumerate(significant):
            if token.text == 'lambda':
                following = (significant[j] for j in range(i + 1, len(significant)))
                self._parameters(following, token.depth)

    def _string(self, text):
        prefix = _PREFIX.match(text).group()
        if prefix.lower() == 'ur':
            return _raw_unicode(text[2:])
        if prefix or 'unicode_literals' in self._future:
            return text
        # Only texts with u had these escapes.
        return _ESCAPE.sub(lambda match: ('\\' if match.group(1) in 'uUN' else '') + match.group(), text)

    def _rewrite_statement(self, statement):
        first, rest = statement[0], statement[1:]
        if 'print_function' not in self._future:
            if first.text == 'print':
                _rewrite_print(statement)
            if any(token.text == 'print' for token in rest):
                self.prints_as_name = True
        if first.text == 'exec' and rest:
            _rewrite_exec(statement)
        elif first.text == 'raise' and len(_commas(rest)) in (1, 2):
            first.new = 'raise __raised__('
            rest[-1].new += ')'
        elif first.text == 'except':
            self._rewrite_except(rest)
        elif first.text == 'def':
            self._parameters(rest[2:], 1)

    def _rewrite_except(self, tokens):
        commas = _commas(tokens)
        if len(commas) != 1 or commas[0] is tokens[-1]:
            return
        commas[0].new = ' as '
        target = tokens[tokens.index(commas[0]) + 1 :]
        if len(target) > 1 or target[0].kind != 'name':
            self._name(target[0], target[-1])

    def _parameters(self, tokens, depth):
        """Gives names to those parameters that are tuples."""
        previous, lambdas, opening = ',', 0, None
        for token in tokens:
            ends = token.text == ':' and token.depth == depth and lambdas == 0
            if ends or token.depth < depth or token.kind == 'newline':
                return
            if token.depth > depth:
                continue
            if token.text == '(' and previous == ',':
                opening = token
            elif token.text == ')' and opening is not None:
                self._name(opening, token)
                opening = None
            lambdas += (token.text == 'lambda') - (token.text == ':')
            previous = token.text

    def _name(self, first, last):
        """Replaces a target by a name."""
        tokens = self._tokens[first.index : last.index + 1]
        name = '__target_%d__' % len(self.targets)
        self.targets[name] = ''.join(token.new for token in tokens)
        for token in tokens:
            token.new = '\\\n' * token.text.count('\n')
        first.new = name


def _future(statements):
    """The names that are imported from __future__."""
    names = set()
    for statement in statements:
        words = [token.text for token in statement]
        if words[:3] == ['from', '__future__', 'import']:
            names.update(words[3:])
    return names


def _tokens(source):
    tokens, depth = [], 0
    for match in _TOKEN.finditer(source):
        text = match.group()
        if text in _CLOSING:
            depth = max(depth - 1, 0)
        tokens.append(_Token(len(tokens), match.lastgroup, text, depth))
        if text in _OPENING:
            depth += 1
    return tokens


def _is_blank(token):
    return token.kind in ('space', 'comment') or (token.kind == 'newline' and token.depth > 0)


def _statements(tokens):
    """The tokens of each simple statement and of each header of a compound one."""
    statement, lambdas = [], 0
    for token in tokens:
        if _is_blank(token):
            continue
        header = token.text == ':' and token.depth == 0 and lambdas == 0
        if header or token.kind == 'newline' or (token.text == ';' and token.depth == 0):
            if statement:
                yield statement
            statement, lambdas = [], 0
            continue
        if token.depth == 0:
            lambdas += (token.text == 'lambda') - (token.text == ':')
        statement.append(token)
    if statement:
        yield statement


def _commas(tokens):
    """Those between expressions, not those between the parameters of a lambda."""
    commas, lambdas = [], 0
    for token in tokens:
        if token.depth > 0:
            continue
        lambdas += (token.text == 'lambda') - (token.text == ':')
        if token.text == ',' and lambdas == 0:
            commas.append(token)
    return commas


def _rewrite_print(statement):
    """Each value is written before the next one is evaluated."""
    first, last = statement[0], statement[-1]
    commas = _commas(statement)
    texts = [token.text for token in statement]
    into = texts[1:2] == ['>>']
    if any(texts[i] in ('print', '>>', ',') and token in commas for i, token in enumerate(statement[1:])):
        return
    if len(statement) == 1:
        first.new = '__print__().end()'
        return
    first.new = '__print__()(('
    for comma in commas:
        comma.new = '))(('
    closing = '))'
    if into:
        first.new, statement[1].new = '__print__(', ''
        if commas:
            commas[0].new = ')(('
        else:
            closing = ')'
    if commas and last is commas[-1]:
        last.new = closing
    else:
        last.new += closing + '.end()'


def _rewrite_exec(statement):
    separator = next((token for token in statement[1:] if token.text == 'in' and token.depth == 0), None)
    if separator is not None:
        separator.new = ','
    statement[0].new = '__exec__('
    statement[-1].new += ')'


def _rewrite_backticks(tokens):
    """They nest: one after an operand ends the innermost. What is between them has a depth of its own."""
    opening, after_operand = [], False
    for token in tokens:
        if token.kind == 'newline':
            opening.clear()
        elif token.text == '`' and opening and after_operand:
            token.new, opening.pop().new = '))', '__repr__(('
        elif token.text == '`':
            opening.append(token)
            after_operand = False
            continue
        token.depth += len(opening)
        after_operand = (
            token.kind in ('string', 'number')
            or (token.kind == 'name' and token.text not in _BEFORE_OPERAND)
            or token.text in _CLOSING
            or token.new == '))'
        )


def _number(text):
    if text[-1] in 'lL':
        text = text[:-1] + ' '
    digits = text.rstrip()
    return '0o' + text[1:] if _OCTAL.fullmatch(digits) else text


def _raw_unicode(text):
    r"""A literal without its prefix ur, in which \u0041 is an A and other escapes are not replaced."""
    quote = text[:3] if text[:3] in ('"""', "'''") else text[0]
    body = text[len(quote) : -len(quote)]

    def separate(match):
        if match.group(2) is None:
            return match.group()
        return '%s%s "%s" r%s' % (match.group(1), quote, match.group(2), quote)

    return 'r' + quote + _RAW_ESCAPE.sub(separate, body) + quote
