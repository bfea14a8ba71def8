/** What the code that the viewer shares with the program uses of `node:path`, for plain paths of Linux. */
export function join(...parts: readonly string[]): string {
  return parts.join('/').replace(/\/{2,}/g, '/');
}

export function dirname(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

export function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
