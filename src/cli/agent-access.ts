import { absolutePath } from '../store/look.js';
import type { AgentFlags } from './agent-flags.js';

const FILES = ['credentials-file', 'ca', 'cert', 'key'] as const;

/**
 * The flags, besides the addresses, that an advised command needs to reach the same agents from any directory; it
 * inherits the environment anyway. Pure.
 */
export function accessFlags(flags: AgentFlags, cwd: string): string[] {
  const files = FILES.flatMap((name) => {
    const path = flags[name];
    return path === undefined ? [] : [`--${name}`, absolutePath(path, cwd)];
  });
  const { 'agent-address': address, insecure } = flags;
  const chosen = address !== undefined && flags.master !== undefined ? ['--agent-address', address] : [];
  return [...files, ...chosen, ...(insecure ? ['--insecure'] : [])];
}
