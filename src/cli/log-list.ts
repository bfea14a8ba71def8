import { StringDecoder } from 'node:string_decoder';
import { type TailPorts, tailFound } from '../app/tail.js';
import type { FoundTask } from '../discovery/found.js';
import { errnoOf, ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { STREAMS, type Stream } from '../layout/log-paths.js';
import type { FollowShell } from '../logs/follower.js';
import type { PrefixOf } from '../logs/log-printer.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import type { Changes } from '../task/changes.js';
import { visibleLine } from '../text/escape.js';
import { PLAIN } from '../views/parts/paint.js';
import { eventText, linePrefix } from '../views/tail.js';
import { keysKey } from './list-keys.js';
import type { ListContent } from './list-screen.js';
import type { Style } from './terminal.js';
import { hasWords } from './text-list.js';
import type { ListEffect, ListKey, ListRequest, ListSource } from './watch-list.js';

/** So many lines of each log are shown at first, and so many are kept. */
const FIRST = 200;
const MOST = 10_000;
/** Of a longer line, so many characters are shown: nobody scrolls through a line of megabytes. */
const LONGEST = 4096;

/** Where logs come from; `changes`: what tells that they grow, if they are not on this host. */
export interface LogListPorts extends TailPorts {
  changes?: () => Changes;
  /** Takes what shows that logs wait for a host; it replaces what was given before. */
  onWaiting?: (show: (line: string) => void) => void;
}

/** The logs of a task on a screen, as they grow. */
export class LogList implements ListSource {
  readonly orders: readonly string[] = [];
  readonly followsEnd = true;
  readonly #title: string;
  readonly #found: FoundTask;
  readonly #of: { process: string; run?: number } | undefined;
  readonly #ports: LogListPorts;
  #streams: readonly Stream[] = STREAMS;
  #following: Following | undefined;
  #changed = () => {};

  /** Of this run, or of the last runs of one process; of all processes without it. The title is escaped. */
  constructor(
    title: string,
    found: FoundTask,
    of: { process: string; run?: number } | undefined,
    ports: LogListPorts,
  ) {
    this.#title = title;
    this.#found = found;
    this.#of = of;
    this.#ports = ports;
  }

  get keys(): readonly ListKey[] {
    return [{ letter: 's', hint: this.#streams.join('+'), press: () => this.#switch() }, keysKey(KEYS)];
  }

  listen(changed: () => void): void {
    this.#changed = changed;
  }

  look(): boolean {
    this.#following ??= this.#follow();
    return false;
  }

  close(): void {
    this.#following?.end();
  }

  content({ filter, style }: ListRequest): ListContent {
    const { lines = [], notes = [], waiting = [] } = this.#following ?? {};
    return {
      summary: [style.paint.bold(this.#title)],
      titles: undefined,
      lines: filter === '' ? [...lines] : lines.filter((line) => hasWords(line, filter)),
      unit: 'line',
      notes: [...notes, ...waiting],
    };
  }

  /** Both streams, then each of them alone. */
  #switch(): ListEffect {
    const at = this.#streams.length > 1 ? 0 : STREAMS.indexOf(this.#streams[0] as Stream) + 1;
    this.#streams = at < STREAMS.length ? STREAMS.slice(at, at + 1) : STREAMS;
    this.#following?.end();
    this.#following = this.#follow();
    return 'redraw';
  }

  #follow(): Following {
    const following = new Following(() => {
      // One that was ended says nothing any more.
      if (this.#following === following) this.#changed();
    });
    const { process, run } = this.#of ?? {};
    const style = { paint: PLAIN } as Style;
    // The title names the run.
    const prefixOf: PrefixOf = (source, naming, colour) =>
      run === undefined ? linePrefix(source, naming, colour, style) : `${source.stream} | `;
    const options = {
      processes: process === undefined ? [] : [process],
      runs: run === undefined ? ('last' as const) : [run],
      streams: this.#streams,
      lines: FIRST,
      follow: undefined,
      json: false,
      prefixOf,
    };
    this.#ports.onWaiting?.((line) => following.wait(line));
    const shell = following.shell(this.#ports.changes?.() ?? new DirectoryWatcher());
    void following.run(tailFound(this.#found, options, this.#ports, shell));
    return following;
  }
}

/** Logs that are being followed, until `end`. */
class Following {
  readonly lines: string[] = [];
  readonly notes: string[] = [];
  /** What is waited for, until more comes. */
  waiting: readonly string[] = [];
  readonly #decoder = new StringDecoder('utf8');
  readonly #changed: () => void;
  /** The beginning of a line, and how many characters of it are left out. */
  #rest = '';
  #leftOut = 0;
  #end: (exitCode: number) => void = () => {};

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  shell(changes: Changes): FollowShell {
    const signalled = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    return {
      write: (bytes) => this.#add(typeof bytes === 'string' ? bytes : this.#decoder.write(bytes)),
      event: (event) => this.#note(eventText(event)),
      report: ({ message }) => this.#note(message),
      catchSignals: () => {},
      pause: async (until) => Promise.race([until.then(() => undefined), signalled]),
      signalled,
      outputClosed: () => false,
      now: () => performance.now(),
      changes,
    };
  }

  /** Resolves when no more can come; what went wrong is a note. */
  async run(following: Promise<number>): Promise<void> {
    try {
      await following;
      if (this.#rest !== '') this.#line();
      this.#changed();
    } catch (error) {
      if (!(error instanceof ThermosError) && errnoOf(error) === undefined) throw error;
      this.#note((error as Error).message);
    }
  }

  end(): void {
    this.#end(EXIT.ok);
  }

  wait(line: string): void {
    this.waiting = [line];
    this.#changed();
  }

  #add(text: string): void {
    this.waiting = [];
    let from = 0;
    for (;;) {
      const to = text.indexOf('\n', from);
      const part = text.slice(from, to === -1 ? undefined : to);
      const room = Math.max(0, LONGEST - this.#rest.length);
      this.#rest += part.slice(0, room);
      this.#leftOut += Math.max(0, part.length - room);
      if (to === -1) break;
      this.#line();
      from = to + 1;
    }
    if (this.lines.length > MOST) this.lines.splice(0, this.lines.length - MOST);
    this.#changed();
  }

  #line(): void {
    const more = this.#leftOut === 0 ? '' : ` (${this.#leftOut} more characters)`;
    this.lines.push(visibleLine(this.#rest).replaceAll('\t', '    ') + more);
    this.#rest = '';
    this.#leftOut = 0;
  }

  #note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
    this.#changed();
  }
}

const KEYS = `f                follow the end as it grows, or not
s                stdout and stderr, or one of them`;
