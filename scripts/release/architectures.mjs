/** @typedef {'x64' | 'arm64'} Arch */

/**
 * What differs between architectures: their names for uname(1) and RPM and for Debian, the loader that Node's program names,
 * the version of libstdc++ that it needs, and the compiler and strip(1) that make programs for them here.
 *
 * @type {Record<Arch, { machine: string, debian: string, loader: string, libstdcxx: string, compiler: string, strip: string }>}
 */
export const ARCHITECTURES = {
  x64: {
    machine: 'x86_64',
    debian: 'amd64',
    loader: '/lib64/ld-linux-x86-64.so.2',
    libstdcxx: '5.2',
    compiler: 'gcc',
    strip: 'strip',
  },
  arm64: {
    machine: 'aarch64',
    debian: 'arm64',
    loader: '/lib/ld-linux-aarch64.so.1',
    libstdcxx: '7',
    compiler: 'aarch64-linux-gnu-gcc',
    strip: 'aarch64-linux-gnu-strip',
  },
};

/**
 * The architecture of this machine, whose programs can be executed here. Throws if no release is made on it.
 *
 * @returns {Arch}
 */
export function hostArch() {
  const { arch } = process;
  if (arch !== 'x64' && arch !== 'arm64') throw new Error(`a release is not made on ${arch}`);
  return arch;
}
