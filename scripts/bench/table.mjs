import { pairedRatio } from './measure.mjs';

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
 * A row that compares two results of `sideBySide`, by the ratios of their pairs. `goals` are of the ratios.
 * @param {import('./measure.mjs').Summary[]} results
 * @param {{ wall?: number, cpu?: number }} goals
 * @returns {Row}
 */
export function ratioRow(what, referenceName, results, goals = {}) {
  const [measured, reference] = results;
  const ratios = {
    wall: pairedRatio(measured, reference, 'wall'),
    cpu: pairedRatio(measured, reference, 'cpu'),
  };
  const wanted = Object.entries(goals);
  return {
    what,
    measured: milliseconds(measured.wall),
    reference: `${referenceName}: ${milliseconds(reference.wall)}`,
    ratio: ratios.wall.toFixed(2),
    cpu: ratios.cpu.toFixed(2),
    ...(wanted.length > 0 && {
      goal: wanted.map(([key, most]) => `${key} <= ${most}`).join(', '),
      ok: wanted.every(([key, most]) => ratios[key] <= most),
    }),
  };
}

/**
 * A row that could not be measured here, and why.
 * @returns {Row}
 */
export function unmeasuredRow(what, why, goal) {
  return { what, measured: 'not measured', reference: why, ...(goal !== undefined && { goal }) };
}
