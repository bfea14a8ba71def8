import type { RecordReceiver } from '../app/read-checkpoint.js';
import { encodeProblem, encodeRecord } from '../contracts/encode.js';
import type { Problem } from '../errors/problem.js';
import { jsonText } from '../text/json.js';
import { recordLine } from '../views/read.js';
import { problemsText } from './failure.js';
import type { Terminal } from './terminal.js';

/** How many lines are written at once. */
const LINES = 1000;

/** Writes records to stdout, one per line; problems to stderr, or with `--json` as lines among them. */
export class RecordPrinter implements RecordReceiver {
  readonly #terminal: Terminal;
  readonly #json: boolean;
  #lines: string[] = [];

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
  }

  readonly record: RecordReceiver['record'] = (record, offset, length) => {
    this.#lines.push(
      this.#json ? `${jsonText(encodeRecord(record, offset, length))}\n` : recordLine(record, offset, length),
    );
    if (this.#lines.length >= LINES) this.flush();
  };

  replaced(problem: Problem): void {
    this.problem(problem);
  }

  problem(problem: Problem): void {
    this.flush();
    if (this.#json) this.#terminal.write(`${jsonText(encodeProblem(problem))}\n`);
    else this.#terminal.writeError(problemsText([problem], this.#terminal.style(2).width));
  }

  flush(): void {
    if (this.#lines.length > 0) this.#terminal.write(this.#lines.join(''));
    this.#lines = [];
  }
}
