import type { PythonFailure } from './protocol.js';

/** What translate.py leaves, by the look of the line; the first match wins. */
const SYNTAX: readonly [message: RegExp, line: RegExp, hint: string][] = [
  [/print/, /\bprint\b/, 'print is a function in Python 3: write print(…)'],
  [/^except/, /\bexcept\b/, 'write: except X as e'],
  [/exception types/, /\bexcept\b/, 'write: except X as e'],
  [/./, /`/, 'backticks are gone in Python 3: write repr(…)'],
  [/./, /^\s*raise\s+[\w.]+\s*,/, 'write: raise X("message")'],
  [/parenthesized/, /./, 'a parameter must be a name in Python 3: unpack the tuple inside the function'],
];

/** What to write instead of syntax that only Python 2 had and that cannot be translated. */
export function python2SyntaxHint(message: string, line: string): string | undefined {
  return SYNTAX.find(([inMessage, inLine]) => inMessage.test(message) && inLine.test(line))?.[2];
}

const NAMES: Readonly<Record<string, string>> = {
  buffer: 'write memoryview(…)',
  coerce: 'it is gone in Python 3',
};

/** What became of a name that only Python 2 had. */
export function python2NameHint(name: string): string | undefined {
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}

const MODULES: Readonly<Record<string, string>> = {
  commands: 'a config cannot start processes',
  httplib: 'a config cannot open sockets',
  urllib2: 'a config cannot open sockets',
  sets: 'write set(…)',
  md5: 'write: import hashlib; hashlib.md5(…)',
  sha: 'write: import hashlib; hashlib.sha1(…)',
};

const ATTRIBUTES: readonly [attribute: RegExp, hint: string][] = [
  [/attribute 'iter(items|keys|values)'/, 'write .$1() in Python 3'],
  [/attribute 'view(items|keys|values)'/, 'write .$1() in Python 3'],
  [/attribute 'has_key'/, 'write: key in dict'],
  [/'str' object has no attribute 'decode'/, 'a str is already decoded in Python 3: remove .decode(…)'],
  [/has no attribute 'message'/, 'write str(…) of the exception'],
  [/is not a text encoding/, 'write base64.b64encode(…), binascii.hexlify(…) or codecs.encode(…)'],
  [/'dict_(keys|values|items)'/, 'write list(….$1()) in Python 3'],
];

/** What to write instead of something that Python 2 did differently; undefined if it is not known to be that. */
export function python2Hint({ type, message, name }: PythonFailure): string | undefined {
  if (type === 'ModuleNotFoundError' || type === 'ImportError') {
    const module = name?.split('.')[0] ?? '';
    if (Object.hasOwn(MODULES, module)) return MODULES[module];
    return message.includes(': ') ? undefined : 'a config can import the standard library of Python 3';
  }
  if (message.includes('must be encoded before hashing')) return "read the file as bytes: open(path, 'rb')";
  if (type === 'UnicodeDecodeError') return "read a file that is not UTF-8 with open(path, 'rb')";
  for (const [pattern, hint] of ATTRIBUTES) {
    const match = pattern.exec(message);
    if (match !== null) return hint.replace('$1', match[1] ?? '');
  }
  return undefined;
}
