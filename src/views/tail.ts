import type { LineSource } from '../logs/line-output.js';
import type { LogPath } from '../logs/log-paths.js';
import type { Naming } from '../logs/log-printer.js';
import type { TailEvent } from '../logs/tail-event.js';
import { describeReturnCode } from '../task/return-code.js';
import { visible } from '../text/escape.js';
import type { Style } from './parts/style.js';

/** The prefix of a line: `[ROOT ][TASK ]PROCESS RUN[ STREAM] | `. The names are escaped. */
export function linePrefix(source: LineSource, naming: Naming, colour: number, { paint }: Style): string {
  const words = [
    ...(naming.root ? [source.root ?? ''] : []),
    ...(naming.task ? [source.task_id] : []),
    source.process,
    String(source.run),
    ...(naming.stream ? [source.stream] : []),
  ];
  const { prefixes } = paint;
  const painted = prefixes[colour % prefixes.length] as (text: string) => string;
  return `${painted(`${visible(words.join(' '))} |`)} `;
}

/** A line for stderr, without a newline, not escaped yet. */
export function eventText(event: TailEvent): string {
  switch (event.kind) {
    case 'empty':
      return '0 lines';
    case 'waiting':
      return '0 lines so far; waiting for more';
    case 'not-followed':
      return `==> nothing of ${event.task_ids.join(', ')} is running that could be followed <==`;
    case 'not-started':
      return `${event.over ? 'never started' : 'not started yet'}: ${event.processes.join(', ')}`;
    case 'restart': {
      const { process, run, state, return_code } = event;
      const how = describeReturnCode(return_code);
      const ended = [state ?? 'ended', ...(how === '' ? [] : [`(${how})`])].join(' ');
      return `==> ${process}: run ${run} ${ended}, continuing with run ${run + 1} <==`;
    }
    case 'truncated':
      return `==> ${logName(event.source)} was truncated <==`;
    case 'overtaken':
      return `==> ${logName(event.source)} was rotated faster than it was read: lines may be missing <==`;
    case 'end':
      return `==> ${event.process === undefined ? event.task_id : event.process}: ${event.state} <==`;
  }
}

function logName({ process, run, stream }: LineSource): string {
  return `${stream} of ${process}, run ${run},`;
}

/** One path per line, the oldest bytes first. A path is escaped on a pipe too: one with a newline would look like two. */
export function pathsText(paths: readonly LogPath[]): string {
  return paths.map(({ path }) => `${visible(path)}\n`).join('');
}
