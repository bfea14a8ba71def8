import { authorizationIn } from '../agent/credentials.js';
import type { HttpOptions } from '../agent/http.js';
import { ThermosError, UsageError } from '../errors/errors.js';
import { type OpenFile, useFile } from '../store/open-file.js';
import { unreadable } from '../store/problems.js';
import { shellArguments } from '../text/shell.js';
import type { AgentFlags } from './agent-flags.js';

const MOST_BYTES = 1024 * 1024;

/** The credentials and certificates with which agents and masters are asked. Throws UsageError and SystemError. */
export function rightsOf(flags: AgentFlags, env: NodeJS.ProcessEnv): HttpOptions {
  const { ca, cert, key, insecure } = flags;
  const path =
    flags['credentials-file'] ??
    (env.THERMOS_CREDENTIALS_FILE || undefined) ??
    flags.defaultAgents?.credentialsFile;
  return {
    authorization: path === undefined ? undefined : authorizationIn(secretIn(path), path),
    ca: ca === undefined ? undefined : bytesOf(ca),
    cert: cert === undefined ? undefined : bytesOf(cert),
    key: key === undefined ? undefined : bytesOf(key),
    insecure,
  };
}

function bytesOf(path: string, check: (file: OpenFile) => void = () => {}): Buffer {
  try {
    return useFile(path, { links: 'follow', max: MOST_BYTES }, (file) => {
      check(file);
      return file.read(MOST_BYTES);
    });
  } catch (error) {
    if (error instanceof ThermosError) throw error;
    const { message, hint } = unreadable({ code: 'credentials-invalid', tried: `read ${path}`, error, path });
    throw new UsageError('credentials-invalid', message, hint);
  }
}

/** What only root and this user can read, and nobody else could have written. */
function secretIn(path: string): string {
  const check = ({ stat: { mode, uid } }: OpenFile) => {
    if (uid !== 0 && uid !== process.geteuid?.()) {
      throw new UsageError('credentials-invalid', `${path} belongs to another user, so it is not used`);
    }
    if ((mode & 0o077) === 0) return;
    const shown = (mode & 0o777).toString(8).padStart(4, '0');
    throw new UsageError(
      'credentials-invalid',
      `${path} has mode ${shown}: others can read the secret in it, so it is not used`,
      `make it yours alone: chmod 600 ${shellArguments(path)}`,
    );
  };
  return bytesOf(path, check).toString('utf8');
}
