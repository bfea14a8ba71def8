import type { Style } from './style.js';

/** Fully indented, a chain of ten thousand processes would take 150 MB of spaces. */
const MOST_LEVELS = 50;

const BRANCHES = {
  unicode: { next: '├─ ', last: '└─ ', open: '│  ' },
  ascii: { next: '|- ', last: '`- ', open: '|  ' },
};
const CLOSED = '   ';

/**
 * The branches before the entries of a tree, from the depth of each entry, top down; an entry at depth 0 has none.
 * Entries below the deepest level that is drawn are drawn side by side there, so that the size of the text is linear.
 * Pure.
 */
export function branchesOf(depths: readonly number[], { unicode }: Pick<Style, 'unicode'>): string[] {
  const marks = unicode ? BRANCHES.unicode : BRANCHES.ascii;
  const levels = depths.map((depth) => Math.min(depth, MOST_LEVELS));
  const isLast = lastOf(levels);
  /** By level: whether more entries follow there. */
  const open: boolean[] = [];
  return levels.map((level, i) => {
    if (level === 0) return '';
    open.length = level;
    open[level] = !isLast[i];
    const outer = open.slice(1, level).map((more) => (more ? marks.open : CLOSED));
    return `${outer.join('')}${isLast[i] ? marks.last : marks.next}`;
  });
}

/** Whether each entry is the last one of its parent. */
function lastOf(levels: readonly number[]): boolean[] {
  const last: boolean[] = [];
  /** By level: whether an entry with the same parent follows. */
  const follows: boolean[] = [];
  for (let i = levels.length - 1; i >= 0; i--) {
    const level = levels[i] as number;
    follows.length = Math.min(follows.length, level + 1);
    last[i] = follows[level] !== true;
    follows[level] = true;
  }
  return last;
}
