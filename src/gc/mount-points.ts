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
