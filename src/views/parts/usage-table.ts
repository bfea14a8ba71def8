import { size } from '../../text/size.js';
import { wrap } from '../../text/width.js';
import type { TaskUse } from '../../top/task-use.js';
import type { Style } from './style.js';
import { type Cell, table } from './table.js';
import { cores, diskSize, percent, share } from './use.js';

/** Who asks for nothing has not asked. */
function asking(asked: number | undefined): number | undefined {
  return asked !== undefined && asked > 0 ? asked : undefined;
}

function sizeOf(asked: number | undefined): string | undefined {
  return asking(asked) === undefined ? undefined : size(asked);
}

/** What a task uses, against what it asked for; empty if nothing is known of it. */
export function usageTable(use: TaskUse | undefined, style: Style): string {
  if (use === undefined) return '';
  const { asked, cpuAverage, rssBytes, disk, pids, throttledShare, oomKills, pidsCount, limits } = use;
  const part = (used: number | undefined, of: number | undefined) => percent(share(used, of), style);
  const rows: Cell[][] = [];
  if (cpuAverage !== undefined) {
    const note = 'cores, on average since its processes started';
    rows.push(['cpu', cores(cpuAverage), cores(asking(asked.cpu)), part(cpuAverage, asked.cpu), note]);
  }
  if (rssBytes !== undefined) {
    const note = `resident${pids === undefined ? '' : `, in ${pids} ${pids === 1 ? 'pid' : 'pids'}`}`;
    rows.push(['ram', size(rssBytes), sizeOf(asked.ram), part(rssBytes, asked.ram), note]);
  }
  if (disk !== undefined) {
    const note = disk.atLeast
      ? 'sandbox and logs, as far as they could be counted at once'
      : 'sandbox and logs';
    rows.push(['disk', diskSize(disk), sizeOf(asked.disk), part(disk.bytes, asked.disk), note]);
  }
  const columns = [
    { title: 'RESOURCE' },
    { title: 'USED', align: 'right' as const },
    { title: 'ASKED', align: 'right' as const },
    { title: 'PART', align: 'right' as const },
    { title: 'NOTE', flexible: 'wrap' as const },
  ];
  const width = style.width === undefined ? undefined : style.width - 2;
  const options = { width, whole: true, unicode: style.unicode, titles: style.paint.dim };
  const lines = [
    throttledShare === undefined || throttledShare === 0
      ? undefined
      : `throttled in ${percentText(throttledShare)} of the periods of its limit of ${cores(limits?.cpu) ?? '-'} cores`,
    pidsCount === undefined || limits?.pids === undefined
      ? undefined
      : `${pidsCount} of the ${limits.pids} processes and threads that its cgroup may have`,
    oomKills ? `the kernel killed ${oomKills} of its processes for lack of memory` : undefined,
  ];
  const text = rows.length === 0 ? '' : table(columns, rows, options);
  const notes = lines.flatMap((line) =>
    line === undefined ? [] : wrap(line, width ?? Number.POSITIVE_INFINITY),
  );
  return [text, ...notes.map((line) => `${line}\n`)].join('').replace(/^(?=.)/gm, '  ');
}

function percentText(part: number): string {
  return `${Math.max(1, Math.round(part * 100))}%`;
}
