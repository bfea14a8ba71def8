import type { FileType, SandboxEntry } from '../sandbox/sandbox-tree.js';
import { textOf } from '../store/walk.js';
import { moment } from '../text/age.js';
import { size } from '../text/size.js';
import type { Style } from './parts/style.js';
import { type Column, table } from './parts/table.js';

const COLUMNS: readonly Column[] = [
  { title: 'MODE' },
  { title: 'OWNER' },
  { title: 'SIZE', align: 'right' },
  { title: 'MODIFIED', align: 'right' },
  { title: 'NAME' },
];

/** The letter of each type before the mode, as ls(1) has it. */
const LETTERS: Readonly<Record<FileType, string>> = {
  file: '-',
  directory: 'd',
  link: 'l',
  fifo: 'p',
  socket: 's',
  'block-device': 'b',
  'character-device': 'c',
};

/**
 * A row for each entry; nothing for an empty directory. Names are never cut. On a terminal, sizes have units and times
 * are ages; on a pipe, sizes are bytes.
 */
export function lsText(entries: readonly { name: string; entry: SandboxEntry }[], style: Style): string {
  if (entries.length === 0) return '';
  const { paint } = style;
  const rows = entries.map(({ name, entry }) => {
    const shown = entry.target === undefined ? name : `${name} -> ${textOf(entry.target)}`;
    return [
      modeText(entry),
      entry.owner,
      entry.type === 'file' ? (style.tty ? size(entry.bytes) : String(BigInt(entry.bytes))) : '-',
      moment(entry.mtime_ms, style),
      entry.type === 'directory' ? { text: shown, paint: paint.bold } : shown,
    ];
  });
  const { width, unicode } = style;
  return table(COLUMNS, rows, { width, uncut: true, unicode, titles: paint.bold });
}

/** `drwxr-xr-x`, as ls(1) writes it. */
export function modeText({ type, mode }: Pick<SandboxEntry, 'type' | 'mode'>): string {
  const bits = (shift: number, special: boolean, letter: string): string => {
    const executes = ((mode >> shift) & 1) !== 0;
    const last = special ? (executes ? letter : letter.toUpperCase()) : executes ? 'x' : '-';
    return `${(mode >> shift) & 4 ? 'r' : '-'}${(mode >> shift) & 2 ? 'w' : '-'}${last}`;
  };
  const [setuid, setgid, sticky] = [mode & 0o4000, mode & 0o2000, mode & 0o1000].map((bit) => bit !== 0);
  return `${LETTERS[type]}${bits(6, setuid as boolean, 's')}${bits(3, setgid as boolean, 's')}${bits(0, sticky as boolean, 't')}`;
}
