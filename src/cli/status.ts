import { localTasks } from '../app/local-tasks.js';
import type { RootFlags } from '../app/search.js';
import { lookAtTasks, type StatusAnswer } from '../app/status.js';
import { encodeTask } from '../contracts/encode-task.js';
import type { TaskReading } from '../task/gatherer.js';
import type { TaskView } from '../task/view.js';
import { parseDuration } from '../text/duration.js';
import { jsonText } from '../text/json.js';
import type { Verbosity } from '../views/status.js';
import type { Terminal } from './terminal.js';
import { type Frame, watchFrames } from './watch.js';

export interface StatusFlags extends RootFlags {
  only?: string;
  state?: readonly string[];
  verbosity: number;
  quiet: boolean;
  json: boolean;
  interval?: string;
}

type Write = (text: string) => void;

/** Writes the tasks to stdout once. Rejects with NotFoundError if no word matches a task. */
export function showStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
): Promise<StatusAnswer> {
  return writeStatus(words, flags, terminal, undefined, (text) => terminal.write(text));
}

/** Shows the tasks repeatedly; a signal ends it with 130 or 143. */
export async function watchStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
): Promise<number> {
  const intervalMs = parseDuration(flags.interval ?? '2', 'interval', { least: '100ms', most: '1d' });
  const board = localTasks(flags).board();
  const draw = async (): Promise<Frame> => {
    let text = '';
    const answer = await writeStatus(words, flags, terminal, board, (more) => {
      text += more;
    });
    return { text, ...answer };
  };
  return watchFrames(terminal, { intervalMs, lines: flags.json }, draw);
}

async function writeStatus(
  words: readonly string[],
  flags: StatusFlags,
  terminal: Terminal,
  reading: TaskReading | undefined,
  write: Write,
): Promise<StatusAnswer> {
  const page = flags.json ? new Document(write) : await drawnPage(flags, terminal);
  const query = { words, only: flags.only, state: flags.state };
  const answer = await lookAtTasks(query, localTasks(flags), (view) => page.add(view), reading);
  write(page.text(answer));
  return answer;
}

/** Takes the views of tasks; `text` gives what remains to be written after the last one. */
interface Page {
  add(task: TaskView): void;
  text(answer: StatusAnswer): string;
}

/** --json does not load the views: loading the code that measures text takes as long as reading ten tasks. */
async function drawnPage({ quiet, verbosity }: StatusFlags, terminal: Terminal): Promise<Page> {
  const { IdPage, StatusPage } = await import('../views/status.js');
  return quiet ? new IdPage() : new StatusPage(verbosity as Verbosity, terminal.style(1));
}

/** The document is written in pieces of this many characters. */
const PIECE = 64 * 1024;

/**
 * The document of `status`: one line, written in pieces, because it is long on a host with very many tasks, and no
 * task is needed once it is written.
 */
class Document implements Page {
  readonly #write: Write;
  #piece = '{"tasks":[';
  #separator = '';

  constructor(write: Write) {
    this.#write = write;
  }

  add(task: TaskView): void {
    this.#piece += this.#separator + jsonText(encodeTask(task));
    this.#separator = ',';
    if (this.#piece.length < PIECE) return;
    this.#write(this.#piece);
    this.#piece = '';
  }

  text({ roots, problemsOfSearch }: StatusAnswer): string {
    return `${this.#piece}],"roots":${jsonText(roots)},"problems":${jsonText(problemsOfSearch)}}\n`;
  }
}
