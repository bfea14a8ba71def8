import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { paintedWidth } from '../../src/text/width.js';
import { TOP_COLUMNS, type TopColumn } from '../../src/views/parts/top-columns.js';
import { topRows, topText } from '../../src/views/top.js';
import { COLOURED, namedColours, PIPE, START, TTY, taskView } from './task-views.js';
import { type SampleParts, sampled } from './top-samples.js';

const view = (task_id: string) => taskView({ task_id, launch_time_ms: START });
const MIB = 2 ** 20;

const WEB: SampleParts = {
  view: view('web'),
  asked: { cpu: 0.5, ram: 128 * MIB, disk: 1024 * MIB },
  cpu: 1.254,
  rssBytes: 64 * MIB,
  threads: 12,
  pids: 3,
  fds: 40,
  readBytes: 0,
  writtenBytes: 4 * MIB,
  disk: { bytes: 2048 * MIB, asOfMs: START },
  throttledMs: 150,
  oomKills: 2,
  processes: [
    { process: 'main', run: 1, pid: 77, cpu: 1.25, rssBytes: 60 * MIB, threads: 10, pids: 2, fds: 30 },
    { process: 'side', run: 0, cpu: 0.004, rssBytes: 4 * MIB, threads: 2, pids: 1, fds: 10 },
  ],
};
const UNKNOWN: SampleParts = { view: view('unknown') };

function text(
  parts: readonly SampleParts[],
  style = PIPE,
  { by = 'cpu' as TopColumn, reverse = false, processes = false, pss = false } = {},
): string {
  const sample = sampled(...parts);
  return topText(topRows(sample, processes, { by, reverse }), sample, { processes, pss }, style);
}

test('a table of tasks on a pipe: what is above what was asked for has a mark, what is unknown is -', () => {
  expect(text([UNKNOWN, WEB])).toMatchInlineSnapshot(`
    "TASK     STATE    CPU   CPU%    RSS  RAM%  THR  PIDS  FDS  READ/s  WRITE/s  DISK  DISK%  THROTTLED  OOM                   AGE
    web      ACTIVE  1.25  !251%  64MiB   50%   12     3   40      0B     2MiB  2GiB  !200%      150ms    2  2014-05-13T16:53:20Z
    unknown  ACTIVE     -      -      -     -    -     -    -       -        -     -      -          -    -  2014-05-13T16:53:20Z
    "
  `);
});

test('a table of processes', () => {
  expect(text([WEB], PIPE, { processes: true, pss: true })).toMatchInlineSnapshot(`
    "TASK  PROCESS  RUN   CPU   CPU%    RSS  RAM%  PSS  THR  PIDS  FDS  READ/s  WRITE/s
    web   main       1  1.25  !250%  60MiB   47%    -   10     2   30       -        -
    web   side       0  0.00     1%   4MiB    3%    -    2     1   10       -        -
    "
  `);
});

test('on a terminal, with a summary, and the marks are red', () => {
  const style = { ...TTY, width: 200, colour: 1 as const, paint: COLOURED };
  expect(namedColours(text([UNKNOWN, WEB], style))).toMatchInlineSnapshot(`
    "2 active tasks, 3 processes: CPU 1.25 of 0.5, RSS 64MiB of 128MiB

    <bold>TASK</bold>     <bold>STATE</bold>    <bold>CPU</bold>   <bold>CPU%</bold>    <bold>RSS</bold>  <bold>RAM%</bold>  <bold>THR</bold>  <bold>PIDS</bold>  <bold>FDS</bold>  <bold>READ/s</bold>  <bold>WRITE/s</bold>  <bold>DISK</bold>  <bold>DISK%</bold>  <bold>THROTTLED</bold>  <bold>OOM</bold>   <bold>AGE</bold>
    web      <cyan>ACTIVE</cyan>  1.25  <red>!251%</red>  64MiB   50%   12     3   40      0B     2MiB  2GiB  <red>!200%</red>      150ms    <red>2</red>  2h3m
    unknown  <cyan>ACTIVE</cyan>     -      -      -     -    -     -    -       -        -     -      -          -    -  2h3m
    "
  `);
});

test('on a narrow terminal, what was asked about most stays; what happens seldom stays only if it happens', () => {
  expect(text([UNKNOWN, { ...WEB, throttledMs: 0, oomKills: 0 }], TTY)).toMatchInlineSnapshot(`
    "2 active tasks, 3 processes: CPU 1.25 of 0.5, RSS 64MiB of 128MiB

    TASK     STATE    CPU   CPU%    RSS  RAM%  THR  PIDS  WRITE/s  DISK  DISK%   AGE
    web      ACTIVE  1.25  !251%  64MiB   50%   12     3     2MiB  2GiB  !200%  2h3m
    unknown  ACTIVE     -      -      -     -    -     -        -     -      -  2h3m
    "
  `);
  expect(text([UNKNOWN, WEB], TTY)).toMatchInlineSnapshot(`
    "2 active tasks, 3 processes: CPU 1.25 of 0.5, RSS 64MiB of 128MiB

    TASK      CPU   CPU%    RSS  RAM%  PIDS  DISK  DISK%  THROTTLED  OOM   AGE
    web      1.25  !251%  64MiB   50%     3  2GiB  !200%      150ms    2  2h3m
    unknown     -      -      -     -     -     -      -          -    -  2h3m
    "
  `);
});

test('without a task there is nothing', () => {
  expect(text([], TTY)).toBe('');
});

describe('the order', () => {
  const ids = (parts: readonly SampleParts[], by: TopColumn, reverse = false) =>
    topRows(sampled(...parts), false, { by, reverse }).map(({ sample }) => sample.task.task_id);
  const parts = [{ ...WEB, view: view('b') }, UNKNOWN, { ...WEB, view: view('a'), cpu: 2, rssBytes: 1 }];

  test('numbers descend and names ascend, equal ones by name, and what is unknown is last', () => {
    expect(ids(parts, 'cpu')).toEqual(['a', 'b', 'unknown']);
    expect(ids(parts, 'rss')).toEqual(['b', 'a', 'unknown']);
    expect(ids(parts, 'task')).toEqual(['a', 'b', 'unknown']);
    expect(ids(parts, 'disk%')).toEqual(['a', 'b', 'unknown']);
    expect(ids(parts, 'task', true)).toEqual(['unknown', 'b', 'a']);
  });

  test('is one by every column', () => {
    for (const column of TOP_COLUMNS) expect(ids(parts, column).toSorted()).toEqual(['a', 'b', 'unknown']);
  });
});

test('no line is wider than the terminal', () => {
  const number = fc.option(fc.nat(1e12), { nil: undefined });
  const part = fc.record({ cpu: number, rssBytes: number, threads: number, pids: number, fds: number });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), fc.integer({ min: 80, max: 240 }), (parts, width) => {
      const shown = parts.map((each) => ({ ...WEB, view: undefined, ...each }));
      for (const line of text(shown, { ...TTY, width }).split('\n')) {
        expect(paintedWidth(line)).toBeLessThanOrEqual(width);
      }
    }),
  );
});
