/**
 * A rotated log has backups beside it: LOG.1, the newest, LOG.2 and so on. They are named here because the modules
 * that write, read and remove logs do not know each other.
 */

/** The name of a log's backup, or its path if the log's path is given. 1 is the newest. Pure. */
export function backupName(log: string, number: number): string {
  return `${log}.${number}`;
}

/** The number in the name of a backup of this log; undefined for other names. Pure. */
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
