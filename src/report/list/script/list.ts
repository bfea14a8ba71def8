/** The list of tasks works without this: it adds a field to search in it, and buttons to sort it. */

const table = document.querySelector<HTMLTableElement>('#tasks');
const tools = document.querySelector<HTMLElement>('#tools');
const body = table?.tBodies[0];

if (table && tools && body) {
  const rows = [...body.rows];
  addSearch(tools, rows);
  for (const [column, head] of [...table.querySelectorAll<HTMLTableCellElement>('thead th')].entries())
    addSort(table, body, rows, head, column);
}

function addSearch(tools: HTMLElement, rows: readonly HTMLTableRowElement[]): void {
  const label = document.createElement('label');
  label.textContent = 'Search ';
  const field = document.createElement('input');
  field.type = 'search';
  field.placeholder = 'words that a task has';
  label.append(field);
  const count = document.createElement('output');
  tools.append(label, count);
  const texts = rows.map((row) => (row.textContent ?? '').toLowerCase());
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [i, row] of rows.entries()) {
      row.hidden = !words.every((word) => texts[i]?.includes(word));
      if (!row.hidden) shown += 1;
    }
    count.textContent = words.length === 0 ? '' : `${shown} of ${rows.length}`;
    // What is searched for stays when the page is loaded again.
    history.replaceState(null, '', words.length === 0 ? ' ' : `#q=${encodeURIComponent(field.value)}`);
  };
  const [, given] = /^#q=(.*)$/.exec(location.hash) ?? [];
  if (given !== undefined) {
    try {
      field.value = decodeURIComponent(given);
      filter();
    } catch {
      // Somebody wrote the address by hand.
    }
  }
  field.addEventListener('input', filter);
}

function addSort(
  table: HTMLTableElement,
  body: HTMLTableSectionElement,
  rows: readonly HTMLTableRowElement[],
  head: HTMLTableCellElement,
  column: number,
): void {
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...head.childNodes);
  head.append(button);
  const isNumber = head.dataset.sort === 'number';
  const keyOf = (row: HTMLTableRowElement): string | number => {
    const cell = row.cells[column];
    return isNumber ? Number(cell?.dataset.n) : (cell?.textContent ?? '').trim();
  };
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);
  button.addEventListener('click', () => {
    const was = head.getAttribute('aria-sort');
    for (const other of table.querySelectorAll('thead th')) other.removeAttribute('aria-sort');
    // The third click gives the order in which the page was made.
    const next = was === null ? 'ascending' : was === 'ascending' ? 'descending' : undefined;
    if (next === undefined) {
      body.append(...rows);
      return;
    }
    head.setAttribute('aria-sort', next);
    const sign = next === 'ascending' ? 1 : -1;
    const keyed = rows.map((row) => ({ row, key: keyOf(row) }));
    keyed.sort((a, b) => sign * compare(a.key, b.key));
    body.append(...keyed.map(({ row }) => row));
  });
}
