/**
 * A log that is rotated has backups beside it: LOG.1, the newest, LOG.2 and so on. This room names them, because
 * what writes logs, what reads them and what removes them don't know each other.
 */

/** The name of a log's backup; its path, if the log's path is given. 1 is the newest. Pure. */
export function backupName(log: string, number: number): string {
  return `${log}.${number}`;
}

/** The number of the backup that a file of this name is of the log of that name; undefined for other names. Pure. */
export function backupOfName(name: string, log: string): number | undefined {
  if (!name.startsWith(`${log}.`)) return undefined;
  const digits = name.slice(log.length + 1);
  return /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : undefined;
}

/** The numbers of a log's backups among the names in its directory, the newest first. Pure. */
export function backupNumbers(names: readonly string[], log: string): number[] {
  return names
    .map((name) => backupOfName(name, log))
    .filter((number) => number !== undefined)
    .sort((a, b) => a - b);
}

/** Is a file of this name the log or one of its backups? Pure. */
export function isLogOrBackup(name: string, log: string): boolean {
  return name === log || backupOfName(name, log) !== undefined;
}
