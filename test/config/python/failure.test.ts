import { describe, expect, it } from 'vitest';
import { failureOfConfig } from '../../../src/config/python/failure.js';
import type { PythonFailure } from '../../../src/config/python/protocol.js';
import { python2Hint, python2NameHint, python2SyntaxHint } from '../../../src/config/python/python2.js';

const thermos = { path: 'a.thermos', dialect: 'thermos' } as const;

function failure(type: string, message: string, more: Partial<PythonFailure> = {}): PythonFailure {
  return { type, mro: [type, 'Exception'], message, traceback: 'Traceback …', ...more };
}

describe('an exception that left a config', () => {
  it('is reported with file and line, and its traceback only for --debug', () => {
    const error = failureOfConfig(
      failure('ValueError', 'no such city', { path: 'b.thermos', line: 7 }),
      thermos,
    );
    expect(error).toMatchObject({ message: 'b.thermos, line 7: no such city', phase: 'load', exitCode: 2 });
    expect(error.stack).toContain('Traceback …');
  });

  it('names the file of the config when no line of it is known', () => {
    expect(failureOfConfig(failure('ValueError', 'x'), thermos).message).toBe('a.thermos: x');
  });

  it('says who included the file', () => {
    const included_from: [string, number][] = [
      ['a.thermos', 1],
      ['a.thermos', 3],
    ];
    const error = failureOfConfig(
      failure('ValueError', 'x', { path: 'parts/b.thermos', line: 2, included_from }),
      thermos,
    );
    expect(error.message).toBe('parts/b.thermos, line 2: x (included by a.thermos, line 3)');
  });

  it.each([
    ['KeyError', "'x'", "KeyError: 'x'"],
    ['TypeError', 'no', 'TypeError: no'],
    ['StopIteration', '', 'StopIteration'],
    ['Exception', 'stop here', 'stop here'],
  ])('has its name where the message alone says little: %s', (type, message, shown) => {
    expect(failureOfConfig(failure(type, message), thermos).message).toBe(`a.thermos: ${shown}`);
  });

  it('shows the assertion that has no message', () => {
    const error = failureOfConfig(failure('AssertionError', '', { line: 2, text: 'assert 1 == 2' }), thermos);
    expect(error.message).toBe('a.thermos, line 2: assertion failed: assert 1 == 2');
  });

  it('reports a file that cannot be read without a number of the interpreter', () => {
    const error = failureOfConfig(
      failure('FileNotFoundError', "[Errno 44] No such file or directory: 'x'", {
        mro: ['FileNotFoundError', 'OSError', 'Exception'],
        strerror: 'No such file or directory',
        file: 'x',
      }),
      thermos,
    );
    expect(error).toMatchObject({ code: 'config-file', message: 'a.thermos: x: no such file or directory' });
  });

  it.each([
    ['thermos', 'Service', /\.aurora/],
    ['aurora', 'export', /jobs = \[/],
    ['thermos', 'Packer', /never published/],
    ['aurora', 'Packer', /never published/],
  ] as const)('helps with a name: in .%s, %s', (dialect, name, hint) => {
    const given = failure('NameError', `name '${name}' is not defined`, { name, mro: ['NameError'] });
    expect(failureOfConfig(given, { path: 'a', dialect }).hint).toMatch(hint);
  });

  it('tells an include that never ends from a function that never ends', () => {
    const mro = ['RecursionError', 'RuntimeError'];
    const around: [string, number][] = Array.from({ length: 60 }, (_, i) => [`${'ab'[i % 2]}.thermos`, 1]);
    const including = failure('RecursionError', '', {
      mro,
      path: 'a.thermos',
      line: 1,
      included_from: around,
    });
    expect(failureOfConfig(including, thermos).message).toBe(
      'a.thermos, line 1: the file includes itself through b.thermos',
    );
    const calls: [string, number][] = [['a.thermos', 9], ...Array(20).fill(['a.thermos', 2])];
    const calling = failure('RecursionError', '', { mro, path: 'a.thermos', line: 2, included_from: calls });
    expect(failureOfConfig(calling, thermos).message).toBe(
      'a.thermos, line 2: something calls itself without end',
    );
  });
});

describe('what Python 2 had', () => {
  it.each([
    ["Missing parentheses in call to 'print'. Did you mean print(...)?", 'print "x"', /print\(…\)/],
    ['except X, e no longer means', 'except X, e:', /except X as e/],
    ['invalid syntax', 'x = `y`', /repr/],
    ['invalid syntax', '    raise ValueError, "x"', /raise X/],
    ['Lambda expression parameters cannot be parenthesized', 'lambda (a, b): a', /tuple/],
  ])('gets the fix: %s %s', (message, line, fix) => {
    expect(python2SyntaxHint(message, line || ' ')).toMatch(fix);
  });

  it('is not seen in syntax that is wrong in both', () => {
    expect(python2SyntaxHint('invalid syntax', 'x = = 1')).toBeUndefined();
    expect(python2NameHint('constructor')).toBeUndefined();
    expect(python2Hint(failure('ValueError', 'no'))).toBeUndefined();
  });

  it.each([
    ["'dict' object has no attribute 'iteritems'", '.items()'],
    ["'dict' object has no attribute 'has_key'", 'key in dict'],
    ["'ValueError' object has no attribute 'message'", 'str('],
    ["'hex' is not a text encoding; use codecs.encode() to handle arbitrary codecs", 'hexlify'],
    ["'dict_keys' object is not subscriptable", 'list(….keys())'],
    ["unsupported operand type(s) for +: 'dict_values' and 'list'", 'list(….values())'],
  ])('gets what to write: %s', (message, fix) => {
    expect(python2Hint(failure('TypeError', message))).toContain(fix);
  });
});
