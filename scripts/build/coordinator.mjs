import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../src/coordinator', import.meta.url));

/** Sizes and times have 64 bits everywhere. */
const WIDE = ['-D_FILE_OFFSET_BITS=64', '-D_TIME_BITS=64'];

const LANGUAGE = ['-std=c11', '-D_GNU_SOURCE', ...WIDE, '-Wall', '-Wextra', '-Wconversion', '-Wshadow'];

/** Some compilers define _FORTIFY_SOURCE by themselves, and a second definition is an error. */
const HARDENING = ['-O2', '-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=3', '-fstack-protector-strong', '-s'];

/** The first that links here: a static program starts sooner and runs whatever C library the machine has. */
const KINDS = [['-fPIE', '-static-pie'], ['-static'], ['-fPIE', '-pie']];

/** The small program that shows what a compiler can do here. */
const PROBE = '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n';

/**
 * Builds the coordinator in C as the file `output`. Returns why not if there is no C compiler that works here; throws if
 * there is one and it does not accept the program; prints warnings. `flags`: instead of those of the product, for tests,
 * which accept no warning. `given`: a compiler for another machine.
 */
export function buildCoordinator(output, flags, given) {
  const place = mkdtempSync(join(tmpdir(), 'thermos-cc-'));
  try {
    const probe = join(place, 'probe.c');
    writeFileSync(probe, PROBE);
    const can = (compiler, words) =>
      run(compiler, [...words, '-o', join(place, 'probe'), probe]).status === 0 &&
      (!words.some((word) => word.startsWith('-static')) || isStatic(join(place, 'probe')));
    const kinds = flags === undefined ? KINDS.map((kind) => [...HARDENING, ...kind]) : [flags];
    const [compiler, kind] =
      (given === undefined ? ['musl-gcc', 'cc'] : [given])
        .flatMap((each) => kinds.map((words) => [each, words]))
        .find(([each, words]) => can(each, words)) ?? [];
    if (compiler === undefined)
      return 'there is no C compiler (cc, with the files of its C library) that works';
    const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.c'));
    const build = (...more) =>
      run(compiler, [
        ...LANGUAGE,
        ...kind,
        ...more,
        '-o',
        output,
        ...sources.map((name) => join(SOURCES, name)),
      ]);
    const strict = build('-Werror');
    if (strict.status === 0) return undefined;
    // A compiler that we do not know may warn of more.
    const complaints = `${compiler} about src/coordinator:\n${strict.stderr}`;
    if (flags !== undefined || build().status !== 0) throw new Error(complaints);
    process.stderr.write(complaints);
    return undefined;
  } finally {
    rmSync(place, { recursive: true });
  }
}

/**
 * Does an ELF program need no other file? The script musl-gcc ignores -static-pie. What does not have the form of most
 * machines (64 bits, little-endian) is believed.
 */
function isStatic(path) {
  const PT_INTERP = 3;
  const elf = readFileSync(path);
  if (elf[4] !== 2 || elf[5] !== 1) return true;
  const size = elf.readUInt16LE(54);
  const headers = Array.from(
    { length: elf.readUInt16LE(56) },
    (_, i) => Number(elf.readBigUInt64LE(32)) + i * size,
  );
  return headers.every((at) => elf.readUInt32LE(at) !== PT_INTERP);
}

function run(program, words) {
  return spawnSync(program, words, { encoding: 'utf8' });
}
