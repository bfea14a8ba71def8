import { visible } from '../../text/escape.js';

/**
 * What a log shows on a terminal: its colours as classes, because a page's policy allows no style in its markup; no other
 * control sequence has an effect. (ansi_up writes styles for colours beyond 16, makes links of OSC 8, and passes on NUL
 * and what turns the direction of text.)
 */
export interface Pen {
  /** 0 to 15, as on a terminal. */
  ink?: number;
  paper?: number;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
  strike: boolean;
}

export function newPen(): Pen {
  return { bold: false, dim: false, italic: false, underline: false, inverse: false, strike: false };
}

// CSI, OSC, the strings DCS, SOS, PM and APC, and the short sequences; each up to the next ESC at most.
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  /\u001b(?:\[([0-9:;<=>?]*)[ -/]*([@-~])|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-OQ-WYZ`-~])/g;

/**
 * A line of a log as markup, escaped, with everything visible that is not a colour or a tab. The pen is what the line
 * before it left, and is changed.
 */
export function lineMarkup(line: string, pen: Pen): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  let out = '';
  let at = 0;
  const add = (end: number) => {
    if (end <= at) return;
    const escaped = escapedText(text.slice(at, end));
    const names = classesOf(pen);
    out += names === '' ? escaped : `<b class="${names}">${escaped}</b>`;
  };
  if (text.includes('\u001b')) {
    for (const { index, 0: whole, 1: numbers, 2: final } of text.matchAll(SEQUENCE)) {
      add(index);
      at = index + whole.length;
      if (final === 'm' && numbers !== undefined) apply(numbers, pen);
    }
  }
  add(text.length);
  return out;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapedText(text: string): string {
  const safe = text.includes('\t') ? text.split('\t').map(visible).join('\t') : visible(text);
  return safe.replace(/[&<>"]/g, (char) => ENTITIES[char] as string);
}

function classesOf({ ink, paper, bold, dim, italic, underline, inverse, strike }: Pen): string {
  const names = [
    ink !== undefined && `f${ink}`,
    paper !== undefined && `g${paper}`,
    bold && 'bo',
    dim && 'di',
    italic && 'it',
    underline && 'un',
    inverse && 'in',
    strike && 'st',
  ];
  return names.filter(Boolean).join(' ');
}

/** More parameters than a sequence can mean anything with. */
const MOST_PARAMETERS = 32;

function apply(numbers: string, pen: Pen): void {
  if (/[<=>?]/.test(numbers)) return;
  const codes = numbers.split(/[;:]/, MOST_PARAMETERS).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (code === 38 || code === 48) {
      const [colour, taken] = extended(codes.slice(i + 1, i + 5));
      i += taken;
      if (colour !== undefined) pen[code === 38 ? 'ink' : 'paper'] = colour;
    } else applyOne(code, pen);
  }
}

function applyOne(code: number, pen: Pen): void {
  if (code === 0) Object.assign(pen, newPen(), { ink: undefined, paper: undefined });
  else if (code === 1) pen.bold = true;
  else if (code === 2) pen.dim = true;
  else if (code === 3) pen.italic = true;
  else if (code === 4) pen.underline = true;
  else if (code === 7) pen.inverse = true;
  else if (code === 9) pen.strike = true;
  else if (code === 22) Object.assign(pen, { bold: false, dim: false });
  else if (code === 23) pen.italic = false;
  else if (code === 24) pen.underline = false;
  else if (code === 27) pen.inverse = false;
  else if (code === 29) pen.strike = false;
  else if (code >= 30 && code <= 37) pen.ink = code - 30;
  else if (code === 39) pen.ink = undefined;
  else if (code >= 40 && code <= 47) pen.paper = code - 40;
  else if (code === 49) pen.paper = undefined;
  else if (code >= 90 && code <= 97) pen.ink = code - 82;
  else if (code >= 100 && code <= 107) pen.paper = code - 92;
}

/** What follows 38 or 48: a colour of 256, or red, green and blue. Also how many numbers it takes. */
function extended([kind, a = 0, b = 0, c = 0]: readonly number[]): [
  colour: number | undefined,
  taken: number,
] {
  if (kind === 5) return [ofPalette(a), 2];
  if (kind === 2) return [nearest(a, b, c), 4];
  return [undefined, 0];
}

/** xterm's 256 colours: the 16, a cube of 6 × 6 × 6, and 24 grays. */
function ofPalette(index: number): number | undefined {
  if (!Number.isInteger(index) || index < 0 || index > 255) return undefined;
  if (index < 16) return index;
  if (index >= 232) {
    const gray = 8 + 10 * (index - 232);
    return nearest(gray, gray, gray);
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  const cube = index - 16;
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

/**
 * One of the 16 with the same hue: the page has them for light and dark, with enough contrast in both, which no fixed
 * colour has.
 */
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  const least = Math.min(red, green, blue);
  if (most - least < 48) return [0, 8, 7, 15][Math.min(3, Math.max(0, Math.floor(most / 64)))] ?? 7;
  const middle = (most + least) / 2;
  const hue = (red > middle ? 1 : 0) + (green > middle ? 2 : 0) + (blue > middle ? 4 : 0);
  return most > 205 ? hue + 8 : hue;
}
