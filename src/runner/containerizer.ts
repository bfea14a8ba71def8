import { asciiJson } from '../text/json.js';
import { quoted } from '../text/shell.js';
import type { Containerizer } from './api.js';

/**
 * The command line for bash that runs one in an image, as its user. Bash becomes the containerizer, which becomes root of
 * nothing but the image: it must be started by root, and changes root directory and user itself. `profile`: for the bash in
 * the image; the one here, which is root's, must not read it. Pure.
 */
export function containerizedCommand(
  cmdline: string,
  { user, profile }: { user: string; profile?: string },
  { path, rootfs, sandbox, takesLaunchInfo }: Containerizer,
): string {
  // ASCII, whatever the locale of bash is.
  const command = { shell: false, value: BASH, arguments: [BASH, '-c', cmdline] };
  const flags = takesLaunchInfo
    ? [`--launch_info=${asciiJson({ rootfs, user, working_directory: sandbox, command })}`]
    : [
        `--working_directory=${sandbox}`,
        `--rootfs=${rootfs}`,
        `--user=${user}`,
        `--command=${asciiJson(command)}`,
      ];
  const words = [path, 'launch', '--unshare_namespace_mnt', ...flags].map(quoted).join(' ');
  return `${profile === undefined ? '' : `BASH_ENV=${quoted(profile)} `}exec ${words}`;
}

const BASH = '/bin/bash';
