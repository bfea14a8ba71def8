import { type TailPorts, tailFound } from '../app/tail.js';
import type { FoundTask } from '../discovery/found.js';
import { ThermosError } from '../errors/errors.js';
import { EXIT } from '../errors/exit-codes.js';
import { STREAMS } from '../layout/log-paths.js';
import type { FollowShell } from '../logs/follower.js';
import type { PrefixOf } from '../logs/log-printer.js';
import { DirectoryWatcher } from '../store/directory-watcher.js';
import { visibleLine } from '../text/escape.js';
import { PLAIN } from '../views/parts/paint.js';
import { eventText, linePrefix } from '../views/tail.js';
import type { ListContent } from './list-screen.js';
import type { Style } from './terminal.js';
import { hasWords } from './text-list.js';
import type { ListRequest, ListSource } from './watch-list.js';

/** So many lines of each log are shown at first, and so many are kept. */
const FIRST = 200;
const MOST = 10_000;

/** The logs of a task on a screen, as they grow. */
export class LogList implements ListSource {
  readonly orders: readonly string[] = [];
  readonly followsEnd = true;
  readonly #title: string;
  readonly #lines: string[] = [];
  readonly #notes: string[] = [];
  /** The beginning of a line. */
  #rest = '';
  #changed = () => {};
  #end: (exitCode: number) => void = () => {};
  #start: (() => void) | undefined;

  /** Of these processes; of all without one. */
  constructor(title: string, found: FoundTask, processes: readonly string[], ports: TailPorts) {
    this.#title = title;
    this.#start = () => void this.#follow(found, processes, ports);
  }

  listen(changed: () => void): void {
    this.#changed = changed;
  }

  look(): boolean {
    this.#start?.();
    this.#start = undefined;
    return false;
  }

  close(): void {
    this.#end(EXIT.ok);
  }

  content({ filter, style }: ListRequest): ListContent {
    const lines = filter === '' ? [...this.#lines] : this.#lines.filter((line) => hasWords(line, filter));
    return {
      summary: [style.paint.bold(this.#title)],
      titles: undefined,
      lines,
      unit: 'lines',
      notes: [...this.#notes],
    };
  }

  async #follow(found: FoundTask, processes: readonly string[], ports: TailPorts): Promise<void> {
    const signalled = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    const shell: FollowShell = {
      write: (bytes) => this.#add(bytes.toString()),
      event: (event) => this.#note(eventText(event)),
      report: ({ message }) => this.#note(message),
      catchSignals: () => {},
      pause: async (until) => Promise.race([until.then(() => undefined), signalled]),
      signalled,
      outputClosed: () => false,
      now: () => performance.now(),
      changes: new DirectoryWatcher(),
    };
    const style = { paint: PLAIN } as Style;
    const prefixOf: PrefixOf = (source, naming, colour) => linePrefix(source, naming, colour, style);
    const choice = { processes, runs: 'last' as const, streams: STREAMS };
    const options = { ...choice, lines: FIRST, follow: undefined, json: false, prefixOf };
    try {
      await tailFound(found, options, ports, shell);
    } catch (error) {
      if (!(error instanceof ThermosError)) throw error;
      this.#note(error.message);
    }
  }

  #add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#lines.push(visibleLine(line).replaceAll('\t', '    '));
    if (this.#lines.length > MOST) this.#lines.splice(0, this.#lines.length - MOST);
    this.#changed();
  }

  #note(text: string): void {
    if (!this.#notes.includes(text)) this.#notes.push(text);
    this.#changed();
  }
}
