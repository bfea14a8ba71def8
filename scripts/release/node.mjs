import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES, hostArch } from './architectures.mjs';
import { ROOT, run } from './facts.mjs';

/** The Node that is shipped: from the registry's packages `node-linux-ARCH`, which have nodejs.org's own programs. */
export const NODE_VERSION = '24.21.0';

/** The hash of each package, as package-lock.json has it. */
export const NODE_INTEGRITY = {
  x64: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  arm64: 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
};

const CACHE = join(ROOT, 'node_modules', '.cache', 'thermos-release');

/**
 * The directory with `node`, without symbols, and its `LICENSE`. It is kept between releases. Throws if the registry
 * gives another package than the one that is pinned here.
 * @param {keyof typeof NODE_INTEGRITY} arch
 */
export function shippedNode(arch) {
  const kept = join(CACHE, `node-${NODE_VERSION}-${arch}`);
  if (existsSync(kept)) return kept;
  mkdirSync(CACHE, { recursive: true });
  const making = mkdtempSync(join(CACHE, 'making-'));
  try {
    const name = `node-linux-${arch}@${NODE_VERSION}`;
    run('npm', ['pack', name, '--silent', '--pack-destination', making], { cwd: making });
    const archive = join(making, `node-linux-${arch}-${NODE_VERSION}.tgz`);
    const hash = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (hash !== NODE_INTEGRITY[arch])
      throw new Error(`${name} has the hash ${hash}, not ${NODE_INTEGRITY[arch]}`);
    run('tar', ['-xzf', archive, '-C', making, 'package/bin/node', 'package/LICENSE']);
    const done = join(making, 'done');
    mkdirSync(done);
    run(ARCHITECTURES[arch].strip, ['-o', join(done, 'node'), join(making, 'package/bin/node')]);
    copyFileSync(join(making, 'package/LICENSE'), join(done, 'LICENSE'));
    renameSync(done, kept);
  } finally {
    rmSync(making, { recursive: true });
  }
  return kept;
}

/** The same version as a program that runs here: what it makes does not depend on the architecture. */
export function nodeHere() {
  return join(shippedNode(hostArch()), 'node');
}
