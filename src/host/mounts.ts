import { closeSync, openSync, readSync } from 'node:fs';

/** Where something is mounted, from the text of /proc/self/mountinfo (proc(5)). */
export function parseMountPoints(mountinfo: string): string[] {
  const points: string[] = [];
  for (const line of mountinfo.split('\n')) {
    const point = line.split(' ')[4];
    if (point === undefined) continue;
    // Blank, tab, newline and backslash are written as three octal digits.
    const bytes = point.replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    points.push(bytes);
  }
  return points;
}

const mountInfo = Buffer.alloc(512);

/** Which mount an open file is on (proc(5), `mnt_id`): a bind mount has the device of what it shows. */
export function mountOf(fd: number): string {
  const info = openSync(`/proc/self/fdinfo/${fd}`, 'r');
  try {
    const text = mountInfo.toString('latin1', 0, readSync(info, mountInfo, 0, mountInfo.length, 0));
    return /^mnt_id:\s*(\d+)$/m.exec(text)?.[1] ?? '';
  } finally {
    closeSync(info);
  }
}
