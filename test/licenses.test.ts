import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bundledPackages,
  librariesOfOneFile,
  partsOfPython,
  shippedNodeIs,
  // @ts-expect-error: no types
} from '../scripts/build/components.mjs';
// @ts-expect-error: no types
import { entryOf, thirdPartyLicenses } from '../scripts/build/licenses.mjs';
// @ts-expect-error: no types
import { billOfMaterials, withComponents } from '../scripts/build/sbom.mjs';
// @ts-expect-error: no types
import { checksums } from '../scripts/release/inside.mjs';
import { REPOSITORY, tempDir } from './e2e/harness.js';

const require = createRequire(import.meta.url);
const inDist = (name: string) => join(REPOSITORY, 'dist', name);
const licenses = readFileSync(inDist('THIRD-PARTY-LICENSES'), 'utf8');
const bill = JSON.parse(readFileSync(inDist('sbom.cdx.json'), 'utf8'));

/** What esbuild says that the bundles are made of. */
const outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }> = JSON.parse(
  readFileSync(join(REPOSITORY, 'node_modules/.cache/thermos-outputs.json'), 'utf8'),
);

/** Where the packages are that are part of an output, found without the code that is tested. */
const directories = new Set(
  Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([file, { bytesInOutput }]) => bytesInOutput > 0 && file.includes('node_modules/'))
    .map(([file]) => {
      let directory = dirname(file);
      while (!isPackage(directory)) directory = dirname(directory);
      return directory;
    }),
);

function isPackage(directory: string): boolean {
  const names = readdirSync(join(REPOSITORY, directory));
  if (!names.includes('package.json')) return false;
  // Some packages have such files in folders, too, to say what kind of modules those have.
  return manifestOf(directory).version !== undefined;
}

function manifestOf(directory: string) {
  return JSON.parse(readFileSync(join(REPOSITORY, directory, 'package.json'), 'utf8'));
}

let dir: ReturnType<typeof tempDir>;
beforeAll(() => {
  dir = tempDir();
});
afterAll(() => dir.remove());

describe('the licences of others', () => {
  test('are there whole for each package of which a part is in a bundle', () => {
    expect(directories.size).toBeGreaterThan(40);
    for (const directory of directories) {
      const { name, version, license } = manifestOf(directory);
      if (name === 'pyodide') continue;
      expect(licenses).toContain(`\n${name} ${version} (${license})\n`);
      const files = readdirSync(join(REPOSITORY, directory)).filter((file) =>
        /^(licen[cs]e|notice|copying).*(?<!\.js)$/i.test(file),
      );
      expect([name, files.length]).not.toEqual([name, 0]);
      for (const file of files) {
        const text = readFileSync(join(REPOSITORY, directory, file), 'utf8').trim();
        expect([name, licenses.includes(text)]).toEqual([name, true]);
      }
    }
  });

  test('are known for every file that is shipped', () => {
    const known = Object.keys(outputs).map((path) => path.replace(/^.*\//, ''));
    const files = readdirSync(inDist('')).filter((name) => name.endsWith('.cjs'));
    expect(files.filter((name) => !known.includes(name))).toEqual([]);
    // Programs in pages, which are bundled apart and then are text.
    expect(known).toEqual(expect.arrayContaining(['start.ts', 'frame.ts', 'page.css']));
  });

  test.each([
    /^@oclif\/core 4[.\d]+ \(MIT\)\n\nMIT License\n\nCopyright \(c\) 2018 Salesforce.com$/m,
    /^chalk 5[.\d]+ \(MIT\)\n\nMIT License\n\nCopyright \(c\) Sindre Sorhus/m,
    /^preact 11[.\d]+ \(MIT\)\n\nThe MIT License \(MIT\)\n\nCopyright \(c\) 2015-present Jason Miller$/m,
    /^CPython 3[.\d]+ \(PSF-2.0\), in pyodide.wasm and python.snapshot$[\s\S]*?^PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2$[\s\S]*?^Mersenne Twister$[\s\S]*?^SipHash24$/m,
    /^GNU C Library \(LGPL-2.1-or-later\)[\s\S]*?^ *GNU LESSER GENERAL PUBLIC LICENSE$[\s\S]*?4\.4 BSD/m,
    /^Pyodide [.\d]+ \(MPL-2.0\)[\s\S]*?^Mozilla Public License Version 2.0$/m,
    /^Emscripten [.\d]+ \(MIT OR NCSA\)[\s\S]*?^ +Copyright Joyent, Inc. and other Node contributors. All rights reserved.$/m,
    /^LLVM [.\dgit]+ \(Apache-2.0 WITH LLVM-exception\)[\s\S]*?LLVM Exceptions to the Apache 2.0 License/m,
  ])('include %s', (text) => {
    expect(text.test(licenses)).toBe(true);
  });

  test('have a package without a licence not bundled', () => {
    const metafile = { outputs: { 'a.cjs': { inputs: { 'node_modules/@a/b/c.js': { bytesInOutput: 1 } } } } };
    const directory = join(dir.path, 'node_modules', '@a', 'b');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{"name":"@a/b","version":"1.0.0","license":"MIT"}');
    const packages = () => bundledPackages(dir.path, metafile);
    expect(packages).toThrow('@a/b 1.0.0 (MIT) is bundled, but has no licence file');
    writeFileSync(join(directory, 'LICENCE.md'), 'As you like.\n');
    expect(thirdPartyLicenses(packages())).toContain('\n@a/b 1.0.0 (MIT)\n\nAs you like.\n');
  });
});

describe('the parts of Python', () => {
  const wasm = readFileSync(require.resolve('pyodide/pyodide.asm.wasm'));
  const parts: { name: string; version?: string }[] = partsOfPython(
    manifestOf('node_modules/pyodide').version,
  );

  /** What shows that a part is linked in. */
  const SIGNS: Record<string, string | ((version: string) => string)> = {
    CPython: (version) => `python-${version}/`,
    bzip2: (version) => `${version}, `,
    Expat: (version) => `expat_${version}`,
    'HACL*': 'Modules/_hacl/',
    hiwire: 'hiwire_new',
    libffi: 'ffi_prep_closure_loc',
    liblzma: (version) => version,
    libmpdec: (version) => version,
    LLVM: 'system/lib/compiler-rt/',
    mimalloc: 'mimalloc: error: ',
    musl: 'emscripten_builtin_malloc',
    Pyodide: 'PyInit__pyodide_core',
    SQLite: (version) => version,
    zlib: (version) => version,
    Zstandard: (version) => version,
  };
  const others = ['Emscripten', 'error-stack-parser', 'stackframe'];

  test('are what the interpreter holds, in these versions', () => {
    expect(
      parts
        .map(({ name }) => name)
        .filter((name) => !others.includes(name))
        .sort(),
    ).toEqual(Object.keys(SIGNS).sort());
    for (const { name, version = '' } of parts) {
      const sign = SIGNS[name];
      if (sign === undefined) continue;
      const text = typeof sign === 'string' ? sign : sign(version);
      expect([name, text, wasm.includes(text)]).toEqual([name, text, true]);
    }
  });

  test('are not those that Python is often linked with besides', () => {
    for (const module of ['_ssl', '_hashlib', '_curses', 'readline', '_dbm', '_gdbm', '_uuid', '_tkinter'])
      expect([module, wasm.includes(`PyInit_${module}`)]).toEqual([module, false]);
  });

  test('are not believed of another version', () => {
    expect(() => partsOfPython('999.0.0')).toThrow('pyodide is 999.0.0, but the licences of what is linked');
  });
});

describe('the bill of materials', () => {
  const BASE = 'http://cyclonedx.org/schema';
  const schemas = join(REPOSITORY, 'node_modules/@cyclonedx/cyclonedx-library/res/schema');
  const schemaOf = (name: string) =>
    JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), 'utf8'));

  test('is one by the schema of CycloneDX', () => {
    const ajv = new Ajv({
      strict: false,
      validateFormats: false,
    });
    for (const name of ['jsf-0.82', 'spdx'])
      ajv.addSchema(schemaOf(name), `${BASE}/${name}.SNAPSHOT.schema.json`);
    const validate = ajv.compile(schemaOf('bom-1.6'));
    validate(bill);
    expect(validate.errors).toBeNull();
    expect(validate({ ...bill, components: [{ name: 'of no type' }] })).toBe(false);
  });

  test('lists what there are licences of', () => {
    const listed = bill.components.map(
      ({ name, version }: { name: string; version?: string }) => `${name}${version ? ` ${version}` : ''} (`,
    );
    const titles = [...licenses.matchAll(/^={80}\n(.*? \()/gm)].map(([, title]) => title);
    expect(listed).toEqual(titles);
  });

  test('has the same bytes if it has the same components, and another number with others', () => {
    const thermos = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
    const a = { name: 'a', version: '1', licence: 'MIT', purl: 'pkg:npm/a@1', text: '' };
    const one = billOfMaterials(thermos, [a]);
    expect(billOfMaterials(thermos, [a])).toBe(one);
    const other = billOfMaterials(thermos, [{ ...a, version: '2' }]);
    expect(JSON.parse(other).serialNumber).not.toBe(JSON.parse(one).serialNumber);
  });

  test('has Node in it where that is shipped', () => {
    const thermos = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
    const a = { name: 'a', version: '1', licence: 'MIT', purl: 'pkg:npm/a@1', text: '' };
    const node = shippedNodeIs('24.0.0', 'As you like.');
    const both = withComponents(billOfMaterials(thermos, [a]), [node]);
    expect(JSON.parse(both).components.map(({ name }: { name: string }) => name)).toEqual(['a', 'Node.js']);
    expect(both).toBe(billOfMaterials(thermos, [a, node]));
    expect(entryOf(node)).toMatch(/^=+\nNode\.js 24\.0\.0 \(MIT\), the program node\n\nAs you like\.\n$/);
  });
});

test('the bill of materials tells the C library of the one file from that of the coordinator', () => {
  const { components } = JSON.parse(withComponents(JSON.stringify(bill), librariesOfOneFile('1.5.7')));
  const refs = components.map((component: { 'bom-ref': string }) => component['bom-ref']);
  expect(refs).toEqual(expect.arrayContaining(['pkg:generic/glibc', 'pkg:generic/glibc#one-file']));
  expect(new Set(refs).size).toBe(refs.length);
});

test('SHA256SUMS is what sha256sum checks, in the order of names', () => {
  const files = ['b', 'a'].map((name) => join(dir.path, name));
  for (const file of files) writeFileSync(file, 'x');
  const hash = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
  expect(checksums(files)).toBe(`${hash}  a\n${hash}  b\n`);
});
