import { readFileSync } from 'node:fs';
import { agentWorkDirs, KNOWN_WORK_DIRS } from '../discovery/agents.js';
import type { Host } from '../host/host.js';
import { parsePasswd } from '../host/passwd.js';
import { realPath } from '../store/look.js';
import { forecaster } from './mesos.js';
import { parseMountPoints } from './mount-points.js';
import type { Machine } from './plan.js';
import { Usage } from './usage.js';

/** This machine, as planning has to know it. What can't be read is left out: then less is known to be in use. */
export function gatherMachine(
  host: Host,
  now: number,
  env: Readonly<Record<string, string | undefined>>,
): Machine {
  const workDirs = [
    ...agentWorkDirs(env, '/proc', '/etc', process.geteuid?.() ?? 0).map(({ path }) => path),
    ...KNOWN_WORK_DIRS,
  ];
  return {
    host,
    usage: new Usage(),
    now,
    surroundings: {
      homes: homes(env),
      mountPoints: parseMountPoints(read('/proc/self/mountinfo')).filter((point) => point !== '/'),
      roots: workDirs.map(realPath).filter((path) => path !== undefined),
    },
    bootId: read('/proc/sys/kernel/random/boot_id').trim() || undefined,
    forecast: forecaster(now, '/proc', '/etc'),
  };
}

/** By their names and by where they are. */
function homes(env: Readonly<Record<string, string | undefined>>): string[] {
  const named = [...parsePasswd(read('/etc/passwd')).values()].map(({ home }) => home);
  const all = [...named, env.HOME].filter((home) => home?.startsWith('/') === true) as string[];
  return [...new Set(all.flatMap((home) => [home, realPath(home) ?? home]))];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
