/**
 * One row of a benchmark. `ok` is undefined if there is no goal; `ratio` is of the wall clock, `cpu` of user
 * and system time.
 * @typedef {{ what: string, measured: string, reference?: string, ratio?: string, cpu?: string, goal?: string, ok?: boolean }} Row
 */

const COLUMNS = [
  ['what', 'WHAT'],
  ['measured', 'MEASURED'],
  ['reference', 'REFERENCE'],
  ['ratio', 'RATIO'],
  ['cpu', 'CPU-RATIO'],
  ['goal', 'GOAL'],
  ['ok', 'OK'],
];

const cell = (row, key) => {
  if (key === 'ok') return row.ok === undefined ? '-' : row.ok ? 'yes' : 'NO';
  return row[key] ?? '-';
};

export function plainTable(rows) {
  const lines = [
    COLUMNS.map(([, title]) => title),
    ...rows.map((row) => COLUMNS.map(([key]) => cell(row, key))),
  ];
  const widths = COLUMNS.map((_, k) => Math.max(...lines.map((line) => line[k].length)));
  return lines
    .map((line) =>
      line
        .map((text, k) => text.padEnd(widths[k]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdownTable(rows) {
  const escapeCell = (text) => text.replaceAll('|', '\\|');
  const line = (cells) => `| ${cells.map(escapeCell).join(' | ')} |`;
  return [
    line(COLUMNS.map(([, title]) => title.toLowerCase())),
    `|${' --- |'.repeat(COLUMNS.length)}`,
    ...rows.map((row) => line(COLUMNS.map(([key]) => cell(row, key)))),
  ].join('\n');
}

export function milliseconds(value) {
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 10_000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

/**
 * A row that compares two medians of `sideBySide`.
 * @param {{ wall: number, cpu: number }[]} medians
 * @returns {Row}
 */
export function ratioRow(what, referenceName, medians, goal = Number.POSITIVE_INFINITY) {
  const [measured, reference] = medians;
  const ratio = measured.wall / reference.wall;
  return {
    what,
    measured: milliseconds(measured.wall),
    reference: `${referenceName}: ${milliseconds(reference.wall)}`,
    ratio: ratio.toFixed(2),
    cpu: (measured.cpu / reference.cpu).toFixed(2),
    goal: `<= ${goal}`,
    ok: ratio <= goal,
  };
}
