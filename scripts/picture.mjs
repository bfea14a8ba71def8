// Makes docs/live-view.svg: runs fixtures/examples/build.thermos in a terminal of 80×24 (tmux) and draws what the
// terminal shows while the task runs. `npm run build` comes first.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const COLUMNS = 80;
/** Pixels of a cell. */
const [WIDTH, HEIGHT] = [8.4, 18];
const MARGIN = 14;
/** The moment to draw: a process failed and runs again, and another one still runs. */
const MOMENT = /test +RUNNING +2/;
const PATIENCE_MS = 15_000;
const COLOURS = {
  30: '#1c1f26',
  31: '#f07178',
  32: '#a5d173',
  33: '#e6c46c',
  34: '#7aa6da',
  35: '#c594c5',
  36: '#6fc3cf',
  37: '#d7dae0',
};

writeFileSync(join(ROOT, 'docs/live-view.svg'), svgOf(await capture()));

/** The screen with its colours at that moment. */
async function capture() {
  const directory = mkdtempSync(join(tmpdir(), 'thermos-picture-'));
  const tmux = (...words) => execFileSync('tmux', ['-L', 'thermos-picture', ...words], { encoding: 'utf8' });
  const command = `node bin/run.js run --root ${directory} --task-id build-1 fixtures/examples/build.thermos; sleep 1`;
  tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(COLUMNS), '-y', '24', '-c', ROOT, command);
  try {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
      await sleep(50);
      if (MOMENT.test(tmux('capture-pane', '-p'))) return tmux('capture-pane', '-p', '-e');
    }
    throw new Error(`the terminal did not show ${MOMENT} in ${PATIENCE_MS / 1000} s`);
  } finally {
    tmux('kill-server');
    rmSync(directory, { recursive: true, force: true });
  }
}

function svgOf(screen) {
  const command = '\x1b[2m$\x1b[0m thermos run --task-id build-1 fixtures/examples/build.thermos';
  const lines = [command, ...screen.trimEnd().split('\n')];
  const [width, height] = [COLUMNS * WIDTH + 2 * MARGIN, lines.length * HEIGHT + 2 * MARGIN];
  const style = { colour: COLOURS[37], bold: false, dim: false };
  const texts = lines.flatMap((line, row) => piecesOf(line, style).map((piece) => textOf(piece, row)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>The live view of thermos run: the processes of a task, and below them what they print</title>',
    `<rect width="100%" height="100%" rx="8" fill="${COLOURS[30]}"/>`,
    '<g font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14" xml:space="preserve">',
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Pieces of one look. `style` goes on from line to line, as on a terminal. */
function piecesOf(line, style) {
  const pieces = [];
  let column = 0;
  for (const [i, part] of line.split('\u001b[').entries()) {
    const end = i === 0 ? -1 : part.indexOf('m');
    for (const code of part.slice(0, Math.max(end, 0)).split(';')) if (i > 0) apply(Number(code), style);
    const text = part.slice(end + 1);
    pieces.push({ ...style, text, column });
    column += [...text].length;
  }
  return pieces.filter(({ text }) => text.trim() !== '');
}

function apply(code, style) {
  if (code === 0) Object.assign(style, { colour: COLOURS[37], bold: false, dim: false });
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 22) Object.assign(style, { bold: false, dim: false });
  else if (code === 39) style.colour = COLOURS[37];
  else if (code in COLOURS) style.colour = COLOURS[code];
}

/** As wide as its cells, with any font. */
function textOf({ text, column, colour, bold, dim }, row) {
  const blanks = text.length - text.trimStart().length;
  const shown = text.trim();
  const x = (MARGIN + (column + blanks) * WIDTH).toFixed(1);
  const y = MARGIN + (row + 0.78) * HEIGHT;
  const escaped = shown.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const look = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
  const length = ([...shown].length * WIDTH).toFixed(1);
  return `<text x="${x}" y="${y.toFixed(1)}" fill="${colour}"${look} textLength="${length}">${escaped}</text>`;
}
