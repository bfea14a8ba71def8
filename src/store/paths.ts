/** PATH_MAX of Linux, including the NUL at the end. A checkpoint may record a path of 64 MiB, which leads nowhere. */
export const LONGEST_PATH = 4096;

/** The directory that holds a path; `/` for `/` itself. Pure text. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** The last name of a path. Pure text. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Is `path` the directory itself or something in it? Pure text; both must be absolute and plain. */
export function isWithin(path: string, directory: string): boolean {
  if (directory === '/') return path.startsWith('/');
  return path.startsWith(directory) && (path.length === directory.length || path[directory.length] === '/');
}

/** The names that lead from a directory down to a path in it; undefined if the path is not in it. Pure text. */
export function namesBelow(path: string, directory: string): string[] | undefined {
  if (!isWithin(path, directory)) return undefined;
  return path
    .slice(directory.length)
    .split('/')
    .filter((name) => name !== '');
}
