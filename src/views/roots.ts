import type { RootsDocument } from '../contracts/host.js';
import type { Style } from './parts/style.js';
import { table } from './parts/table.js';

/** One row per root; nothing, not even titles, if there is none. */
export function rootsView({ roots }: RootsDocument, style: Style): string {
  if (roots.length === 0) return '';
  const { paint } = style;
  return table(
    [
      // Never cut: Mesos paths differ in a few characters in the middle, and users copy them.
      { title: 'PATH' },
      { title: 'LAYOUT' },
      { title: 'SOURCE' },
      { title: 'TASKS', align: 'right' },
      { title: 'READABLE' },
    ],
    roots.map((root) => [
      root.path,
      root.layout,
      root.source,
      String(root.tasks),
      root.readable ? 'yes' : { text: 'no', paint: paint.red },
    ]),
    { width: style.width, unicode: style.unicode, titles: paint.bold },
  );
}
