import { age } from '../../../text/age.js';
import { markup } from '../../page/html.js';
import type { TaskRow } from '../fleet.js';
import { rowCells } from '../pieces.js';
import { chosenRows, type ListedRow, listedRow, type SortColumn } from '../rows.js';

/** More rows make a page slow; who wants another one searches for it. */
const MOST_ROWS = 500;

type HrefOf = (row: TaskRow) => string;

interface Drawn {
  readonly element: HTMLTableRowElement;
  /** What it shows, by what it is made of. */
  of: readonly unknown[];
}

/** The table of tasks. It changes only what is not as it was, so that a person can read and click meanwhile. */
export class ListView {
  readonly #table: HTMLTableElement;
  readonly #drawn = new Map<string, Drawn>();
  words = '';
  #by: SortColumn | undefined;
  #reversed = false;

  /** `ordered`: called when a person asks for another order. */
  constructor(table: HTMLTableElement, ordered: () => void) {
    this.#table = table;
    for (const head of table.querySelectorAll<HTMLElement>('th[data-column]')) {
      head.querySelector('button')?.addEventListener('click', () => {
        const column = head.dataset.column as SortColumn;
        // The third click gives the order of before: what needs attention first.
        if (this.#by !== column) [this.#by, this.#reversed] = [column, false];
        else if (this.#reversed) [this.#by, this.#reversed] = [undefined, false];
        else this.#reversed = true;
        ordered();
      });
    }
  }

  /** Returns how many rows are shown. */
  draw(tasks: readonly TaskRow[], hrefOf: HrefOf, now: number): number {
    const body = this.#table.tBodies[0] as HTMLTableSectionElement;
    const choice = { words: this.words, by: this.#by, reversed: this.#reversed };
    const rows = chosenRows(tasks.map(listedRow), choice).slice(0, MOST_ROWS);
    const keys = new Set(rows.map(({ row }) => row.key));
    for (const [key, { element }] of this.#drawn) {
      if (keys.has(key)) continue;
      element.remove();
      this.#drawn.delete(key);
    }
    let next = body.rows[0] ?? null;
    for (const listed of rows) {
      const element = this.#row(listed, hrefOf, now);
      if (element === next) next = element.nextElementSibling as HTMLTableRowElement | null;
      else body.insertBefore(element, next);
    }
    for (const head of this.#table.querySelectorAll<HTMLElement>('th[data-column]')) {
      const direction = this.#reversed ? 'descending' : 'ascending';
      if (head.dataset.column === this.#by) head.setAttribute('aria-sort', direction);
      else head.removeAttribute('aria-sort');
    }
    return rows.length;
  }

  #row(listed: ListedRow, hrefOf: HrefOf, now: number): HTMLTableRowElement {
    const { key } = listed.row;
    let drawn = this.#drawn.get(key);
    if (drawn === undefined) {
      drawn = { element: document.createElement('tr'), of: [] };
      this.#drawn.set(key, drawn);
    }
    const { row, task } = listed;
    const of = [row.view, row.refused, row.agent.hostname, task.state, age(task.state_ms, now)];
    const before = drawn.of;
    if (of.some((each, i) => each !== before[i])) {
      drawn.of = of;
      drawn.element.innerHTML = markup(rowCells(listed, hrefOf(row), now));
    }
    return drawn.element;
  }
}
