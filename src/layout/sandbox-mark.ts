import { isName } from './names.js';

/** The name of the file in a sandbox that says which task the sandbox belongs to. */
export const SANDBOX_MARK = '.thermos-sandbox';

/** A mark is a few hundred bytes: two names and two numbers. */
export const LONGEST_MARK = 8192;

/** The task and root that a sandbox belongs to. A copy of the root has its path or its inode, but not both. */
export interface SandboxMark {
  readonly task_id: string;
  /** The path of the root without links. */
  readonly root: string;
  /** The stat(2) fields of the root directory. */
  readonly dev: number;
  readonly ino: number;
}

/** The text of a mark: one line of JSON. Pure. */
export function encodeSandboxMark({ task_id, root, dev, ino }: SandboxMark): string {
  return `${JSON.stringify({ task_id, root, dev, ino })}\n`;
}

/** Undefined for anything that is not a complete mark. Pure; never throws. */
export function parseSandboxMark(text: string): SandboxMark | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const { task_id, root, dev, ino } = json as Record<string, unknown>;
  if (typeof task_id !== 'string' || !isName(task_id)) return undefined;
  if (typeof root !== 'string' || !root.startsWith('/')) return undefined;
  if (typeof dev !== 'number' || typeof ino !== 'number') return undefined;
  return { task_id, root, dev, ino };
}

/** Do two marks name the same task in the same root? Pure. */
export function isSameMark(a: SandboxMark, b: SandboxMark): boolean {
  return a.task_id === b.task_id && a.root === b.root && a.dev === b.dev && a.ino === b.ino;
}
