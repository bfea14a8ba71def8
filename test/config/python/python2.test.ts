import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { failureOfConfig, parseFailure } from '../../../src/config/python/failure.js';
import { FIXTURES } from '../../e2e/harness.js';
import { CORPUS } from '../corpus.js';
import { runIn, shownIn } from './run.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'thermos-python2-'));
  vi.stubEnv('XDG_CACHE_HOME', dir);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

interface Outcome {
  printed: string;
  /** As people read it. */
  error?: string;
  hint?: string;
}

/** What each file prints and raises when it is executed as a config; all in one interpreter, beside each other. */
async function outcomesOf(files: Record<string, string | Buffer>): Promise<Record<string, Outcome>> {
  const source = `
import base64, io, sys
from _thermos import execute
for name in ${JSON.stringify(Object.keys(files))}:
    program = {'path': name, 'dialect': 'thermos', 'source': base64.b64encode(open(name, 'rb').read()).decode()}
    out, sys.stdout = sys.stdout, io.StringIO()
    failure = execute.execute(json.dumps(program))
    printed, sys.stdout = sys.stdout.getvalue(), out
    show([name, printed, failure])`;
  const outcomes = (await shownIn(dir, source, { files })) as [string, string, string][];
  return Object.fromEntries(
    outcomes.map(([name, printed, text]) => {
      const failure = parseFailure(text);
      if (!failure) return [name, { printed }];
      const { message, hint } = failureOfConfig(failure, { path: name, dialect: 'thermos' });
      return [name, { printed, error: message, ...(hint !== undefined && { hint }) }];
    }),
  );
}

/** The same for programs without names. */
async function outcomesOfAll(sources: readonly (string | Buffer)[], files = {}): Promise<Outcome[]> {
  const names = sources.map((_, i) => `${i}.thermos`);
  const outcomes = await outcomesOf({
    ...Object.fromEntries(sources.map((source, i) => [names[i], source])),
    ...files,
  });
  return names.map((name) => outcomes[name] as Outcome);
}

const RECORDED = join(FIXTURES, 'python2');

describe('a form that only Python 2 had', () => {
  it('prints, raises and counts lines as CPython 2.7.18 did', async () => {
    const names = readdirSync(RECORDED).filter((name) => name.endsWith('.py'));
    const recorded = (name: string): string => readFileSync(join(RECORDED, name), 'utf8');
    const outcomes = await outcomesOf(Object.fromEntries(names.map((name) => [name, recorded(name)])));
    const printed = names.map((name) => [name, { printed: recorded(name.replace('.py', '.txt')) }]);
    expect(outcomes).toEqual(Object.fromEntries(printed));
  });

  it('may be in files that are included, executed or imported', async () => {
    const files = {
      'parts/one.thermos': "print 'one'\nmode = 0777\ninclude('two.thermos')",
      'parts/two.thermos': "print 'two', `str(mode)`",
      'three.py': "print 'three'\ntry: raise KeyError, 3\nexcept KeyError, e: three = e.args[0] / 2",
      'lib/four.py': "import pack.five\nprint 'four', map(str, range(2)), {}.has_key(1), 7 / 2",
      'lib/pack/__init__.py': '',
      'lib/pack/five.py': "print 'five',",
      'lib/python3/seven.py': 'seven = 7 / 2',
      'lib/six.py': "print('six', map(str, range(2)), {}.has_key(1), 7 / 2)",
    };
    const source = `
import sys
sys.path[:0] = ['lib', 'lib/python3', 'none']
include('parts/one.thermos')
execfile('three.py')
import four, six, seven
print seven.seven, three, mode, four.pack.five.__name__`;
    const { printed, error } = await runIn(dir, source, { files });
    expect(error).toBeUndefined();
    expect(printed.split('\n')).toEqual([
      ...['one', "two '511'", 'three', "five four ['0', '1'] False 3", "six ['0', '1'] False 3"],
      ...['3.5 1 511 pack.five', ''],
    ]);
  });

  it('does not depend on how lines end and letters are encoded', async () => {
    const sources = [
      '\ufeffprint "a"\r\nif 1:\r\n\tprint "b"\r\n',
      'print "a"\rprint "b"\r',
      'print "ü", 0777',
      Buffer.from('print "ü"', 'latin1'),
      Buffer.from('# coding: latin-1\nprint "ü"', 'latin1'),
    ];
    const printed = ['a\nb\n', 'a\nb\n', 'ü 511\n', 'ü\n', 'ü\n'].map((text) => ({ printed: text }));
    expect(await outcomesOfAll(sources)).toEqual(printed);
  });

  it('has its own meaning even where Python 3 compiles it', async () => {
    const forms = {
      'import sys\nprint >>sys.stdout, "a", 1': 'a 1\n',
      'import sys\nprint >>sys.stdout': '\n',
      print: '\n',
      'print ("%s") % 3': '3\n',
      'print ("x").upper()': 'X\n',
      'print (1), 2': '1 2\n',
      'print (1),': '1\n',
      'print (1) and 2': '2\n',
      'print -1': '-1\n',
      'print [1]': '[1]\n',
      'print [1, 2]': '[1, 2]\n',
      'def f():\n  if 1: print ("x")[0]\nf()': 'x\n',
      'exec ("z = 3") in globals()\nprint(z)': '3\n',
      'try:\n  raise KeyError(2)\nexcept KeyError, e:\n  print(e)': '2\n',
    };
    const printed = Object.values(forms).map((text) => ({ printed: text }));
    expect(await outcomesOfAll(Object.keys(forms))).toEqual(printed);
  });

  it('is not seen where Python 3 compiles what Python 2 would not', async () => {
    const sources = [
      'from __future__ import print_function\nprint("a"), 1',
      'x = f"{1}"\nprint("a"), x',
      'print("a"), print',
      'print("a", end="\\n"), 1',
      'x: int = 1\nprint("a"), x',
    ];
    expect(await outcomesOfAll(sources)).toEqual(sources.map(() => ({ printed: 'a\n' })));
  });
});

describe('an error in a config for Python 2', () => {
  it('has the line and the words of the source', async () => {
    const errors: [source: string, error: string][] = [
      ['print "a"\nx = (\n', "THIS, line 2: '(' was never closed"],
      ['print "a" "b\n', 'THIS, line 1: unterminated string literal (detected at line 1)'],
      ['print 1\n\nprint 2 3\n', 'THIS, line 3: invalid syntax. Perhaps you forgot a comma?'],
      ['print 1, \\\n  2\nprint """a\nb"""; raise ValueError, "boom"\n', 'THIS, line 4: boom'],
      [
        'def f((a,\n    b)):\n  print a, b\n  print 1 // 0\nf((1, 2))\n',
        'THIS, line 4: ZeroDivisionError: division by zero',
      ],
      ['print 1\nassert 1 <> 1\n', 'THIS, line 2: assertion failed: assert 1 <> 1'],
      ['print 1\nProces(name=`1`)\n', "THIS, line 2: name 'Proces' is not defined. Did you mean: 'Process'?"],
      ['print 1\nTask(nam=0777)\n', 'THIS, line 2: Unknown schema attribute nam'],
      ['x = 1\nexec "print y"\n', "THIS, line 2: name 'y' is not defined"],
      ["x = 1\ninclude('b')\n", "b, line 3: name 'nothing' is not defined (included by THIS, line 2)"],
      [
        "import sys\nsys.path.append('.')\nimport c\n",
        'DIR/c.py, line 2: ZeroDivisionError: division by zero (included by THIS, line 3)',
      ],
      ["import sys\nsys.path.append('.')\nimport d\n", 'DIR/d.py, line 2: invalid syntax'],
    ];
    const outcomes = await outcomesOfAll(
      errors.map(([source]) => source),
      { b: 'print 1\n# 2\nprint nothing\n', 'c.py': 'print 1\nprint 1 // 0\n', 'd.py': 'print 1\nx = = 2\n' },
    );
    const shown = outcomes.map(({ error = '' }, i) =>
      error.replaceAll(`${i}.thermos`, 'THIS').replace(realpathSync(dir), 'DIR'),
    );
    expect(shown).toEqual(errors.map(([, error]) => error));
  });

  it('says what to write if the form cannot be translated', async () => {
    const hints: [source: string, line: number, hint: string][] = [
      [
        'from __future__ import print_function\nprint "a"',
        2,
        'print is a function in Python 3: write print(…)',
      ],
      ['try:\n  pass\nexcept A, B, C:\n  pass', 3, 'write: except X as e'],
      ['print 1\ntry:\n  pass\nexcept A, B, C:\n  pass', 4, 'write: except X as e'],
      ['print 1\nx = `1', 2, 'backticks are gone in Python 3: write repr(…)'],
      ['print 1\nraise A, B, C, D', 2, 'write: raise X("message")'],
    ];
    const outcomes = await outcomesOfAll(hints.map(([source]) => source));
    expect(outcomes.map(({ error, hint }) => [Number(/line (\d+)/.exec(error ?? '')?.[1]), hint])).toEqual(
      hints.map(([, line, hint]) => [line, hint]),
    );
  });
});

/** Reads [{source, …}] from `programs.json`; `translated(source)` is the text, or None if Python 3 compiles it. */
const TRANSLATING = `
import ast
from _thermos import syntax, translate
def translated(source):
    texts = []
    def record(source):
        texts.append(translate.Translation(source))
        return texts[-1]
    syntax.Translation = record
    try:
        syntax.parse(source, 'program')
    finally:
        syntax.Translation = translate.Translation
    return texts[-1].text if texts else None
programs = json.load(open('programs.json'))
`;

async function withPrograms(programs: unknown, source: string): Promise<unknown[]> {
  return shownIn(dir, TRANSLATING + source, { files: { 'programs.json': JSON.stringify(programs) } });
}

/** What only looks like a form of Python 2. */
const LOOKALIKES = [
  ...[
    'print x',
    'print "x"',
    "print 'x'",
    '>>f, x',
    '`x`',
    '0777',
    '10L',
    'a <> b',
    'except X, e:',
    'exec "x"',
  ],
  ...['raise X, "x"', "ur'x'", 'lambda (a, b): a', '#', '\\\\', '\\"', "\\'", '\\n', ' ', '\t', 'é', '{{x}}'],
];

const words = fc.array(fc.constantFrom(...LOOKALIKES), { maxLength: 4 }).map((parts) => parts.join(' '));
const literal = fc.oneof(
  words.map((text) => `"${text.replaceAll(/(?<!\\)"/g, '\\"')}"`),
  words.map((text) => `'${text.replaceAll(/(?<!\\)'/g, "\\'")}'`),
  fc
    .array(words, { minLength: 1, maxLength: 3 })
    .map((lines) => `"""${lines.join('\n').replaceAll('"', "'")} """`),
  words.map((text) => `r'''${text.replaceAll("'", '"')} '''`),
);
const comment = fc.oneof(
  fc.constant(''),
  words.map((text) => `  # ${text}`),
);

const expression: fc.Arbitrary<string> = fc.letrec<{ all: string }>((tie) => ({
  all: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(
      literal,
      fc.constantFrom('x', 'printed', 'execute', '0', '0o777', '1.5', 'None', '00', "b'print x'"),
    ),
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => `(${a}, ${b})`),
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => `[${a},\n  ${b}]  `),
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => `(${a} != ${b})`),
    fc.tuple(tie('all'), tie('all')).map(([a, b]) => `(x - ${a} if -x else ${b})`),
    tie('all').map((a) => `(lambda a, b=${a}: b)(1)`),
    tie('all').map((a) => `{'print': ${a}}['print']`),
    tie('all').map((a) => `f'{x} print x'.join([${a}])`),
  ),
})).all;

const statement: fc.Arbitrary<string[]> = fc.letrec<{ all: string[] }>((tie) => {
  const indented = tie('all').map((lines) => lines.map((line) => line.replaceAll(/^/gm, '  ')));
  return {
    all: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.oneof(
        fc.tuple(expression, comment).map(([a, end]) => [`print(${a})${end}`]),
        fc.tuple(expression, comment).map(([a, end]) => [`x = ${a}${end}`]),
        fc.tuple(expression, expression).map(([a, b]) => [`print(${a}, ${b}, sep='')`, `x = ${b}; print(x)`]),
        fc.tuple(expression, expression).map(([a, b]) => [`exec(${a}, x)`, `x >> ${b}, \\\n    x`]),
        expression.map((a) => [`raise ValueError(${a})`]),
        expression.map((a) => [`printed >>x, ${a}`, 'x.print, 1']),
      ),
      fc.tuple(expression, indented).map(([a, body]) => [`if ${a}:`, ...body]),
      indented.map((body) => ['def f(a, b=(1, 2), *c):', ...body]),
      indented.map((body) => ['class A(object):', ...body]),
      fc
        .tuple(indented, indented)
        .map(([a, b]) => ['try:', ...a, 'except (ValueError, KeyError) as e:', ...b]),
    ),
  };
}).all;

const program = fc
  .array(statement, { minLength: 1, maxLength: 6 })
  .map((parts) => `${parts.flat().join('\n')}\n`);

describe('a translation', () => {
  it('is not made of what Python 3 compiles', async () => {
    const check = `
for source in programs:
    ast.parse(source)
    if translated(source) is not None: show(source)`;
    await fc.assert(
      fc.asyncProperty(fc.array(program, { minLength: 100, maxLength: 100 }), async (programs) => {
        expect(await withPrograms(programs, check)).toEqual([]);
      }),
      { numRuns: 1 },
    );
  });

  it('is made of the configs of the corpus that Python 3 refuses, and of no others', async () => {
    const names = readdirSync(CORPUS).filter((name) => /\.(thermos|aurora)$/.test(name));
    const check = `
for name, source in programs:
    try:
        if translated(source) is not None: show(name)
    except SyntaxError: show(name + ' is refused')`;
    const programs = names.map((name) => [name, readFileSync(join(CORPUS, name), 'utf8')]);
    const forms = names.filter((name) => /^py2_(?!map_plus_list|include)/.test(name));
    expect(await withPrograms(programs, check)).toEqual([...forms, 'py_syntax_error.thermos is refused']);
  });

  it('leaves texts, comments and every line that has none of the forms', async () => {
    const check = `
for before, after in programs:
    source = before + 'print 1\\n' + after
    text = translated(source)
    if text != before + '__print__()(( 1)).end()\\n' + after: show([source, text])`;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(program, program), { minLength: 50, maxLength: 50 }),
        async (programs) => {
          const python2 = programs.map((pair) => pair.map(withoutPython3));
          expect(await withPrograms(python2, check)).toEqual([]);
        },
      ),
      { numRuns: 1 },
    );
  });

  it('has as many lines as the source, whatever that is', async () => {
    const piece = fc.constantFrom(
      ...[
        'print',
        'exec',
        'raise',
        'except',
        'lambda',
        'def',
        'f',
        'in',
        'x',
        ' ',
        ' ',
        '\n',
        '\n',
        '\\\n',
        '\t',
      ],
      ...['(', ')', '[', ']', '{', '}', ',', ':', ';', '`', '>>', '<>', '=', '.', '#', '0777', '10L', '1.5'],
      ...['"', "'", '"""', "'''", "ur'", 'u"', '\\', 'ü', '\f', '\\u0041'],
    );
    const soup = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    const check = `
for source in programs:
    translation = translate.Translation(source)
    if translation.text.count('\\n') != source.count('\\n'): show([source, translation.text])`;
    await fc.assert(
      fc.asyncProperty(fc.array(soup, { minLength: 1000, maxLength: 1000 }), async (programs) => {
        expect(await withPrograms(programs, check)).toEqual([]);
      }),
      { numRuns: 1 },
    );
  });
});

/** The same program without what Python 2 does not have; statements of print are calls with other names. */
function withoutPython3(source: string): string {
  return source
    .replaceAll(/\bf'/g, "u'")
    .replaceAll(/^( *)(print|exec)\(/gm, '$1$2ed(')
    .replaceAll('; print(', '; printed(');
}
