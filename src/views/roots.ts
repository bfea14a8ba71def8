import type { RootsDocument } from '../contracts/host.js';
import { screenRows } from '../text/width.js';
import type { Style } from './parts/style.js';
import { type Cell, type Column, table } from './parts/table.js';

type Root = RootsDocument['roots'][number];

const AGENT: [Column, (root: Root) => Cell] = [
  { title: 'AGENT' },
  ({ agent }) => agent && (agent.hostname || agent.url),
];

/**
 * One row per root; nothing, not even titles, if there is none. Paths are never cut: those of Mesos differ in a few
 * characters in the middle, and users copy them. On a terminal that is too narrow for a row they come last, where the
 * terminal breaks only them.
 */
export function rootsView({ roots }: RootsDocument, style: Style): string {
  if (roots.length === 0) return '';
  const path: [Column, (root: Root) => Cell] = [{ title: 'PATH' }, (root) => root.path];
  const others: [Column, (root: Root) => Cell][] = [
    ...(roots.some(({ agent }) => agent) ? [AGENT] : []),
    [{ title: 'LAYOUT' }, (root) => root.layout],
    [{ title: 'SOURCE' }, (root) => root.source],
    [{ title: 'TASKS', align: 'right' }, (root) => String(root.tasks)],
    [{ title: 'READABLE' }, (root) => (root.readable ? 'yes' : { text: 'no', paint: style.paint.red })],
  ];
  const drawn = (columns: typeof others) =>
    table(
      columns.map(([column]) => column),
      roots.map((root) => columns.map(([, cell]) => cell(root))),
      { width: style.width, uncut: true, unicode: style.unicode, titles: style.paint.bold },
    );
  const text = drawn([path, ...others]);
  const fits = style.width === undefined || screenRows(text, style.width) === roots.length + 1;
  return fits ? text : drawn([...others, path]);
}
