import type { Run } from './emulator.js';

type Rgb = readonly [number, number, number];

/** xterm's own colours, from its XTerm-col.ad. */
const PALETTE: Readonly<Record<string, Rgb>> = {
  black: [0x00, 0x00, 0x00],
  red: [0xcd, 0x00, 0x00],
  green: [0x00, 0xcd, 0x00],
  yellow: [0xcd, 0xcd, 0x00],
  blue: [0x00, 0x00, 0xee],
  magenta: [0xcd, 0x00, 0xcd],
  cyan: [0x00, 0xcd, 0xcd],
  white: [0xe5, 0xe5, 0xe5],
  'bright-black': [0x7f, 0x7f, 0x7f],
  'bright-red': [0xff, 0x00, 0x00],
  'bright-green': [0x00, 0xff, 0x00],
  'bright-yellow': [0xff, 0xff, 0x00],
  'bright-blue': [0x5c, 0x5c, 0xff],
  'bright-magenta': [0xff, 0x00, 0xff],
  'bright-cyan': [0x00, 0xff, 0xff],
  'bright-white': [0xff, 0xff, 0xff],
};

const BLACK = PALETTE.black as Rgb;
const WHITE = PALETTE['bright-white'] as Rgb;
const DARK = { background: BLACK, foreground: PALETTE.white as Rgb };
const LIGHT = { background: WHITE, foreground: BLACK };

/** Below this, text cannot be read. xterm's yellow on white has 1.7, bright colours on white have 1.1 to 1.4. */
const LEGIBLE = 1.6;
/** Below this, a word can be read, but a sentence is tiring: the WCAG ask it of large text. */
const COMFORTABLE = 3;
/** The longest text in a colour that is not comfortable: a state, a verdict, a reason in one word. */
const LONGEST_WORD = 24;

/** The contrast of two colours, from 1 to 21, as the WCAG define it. */
export function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The contrast of a run on xterm's dark and light backgrounds; undefined for colours that are not of the palette. */
export function contrastsOf(run: Run): { dark: number; light: number } | undefined {
  const on = (terminal: typeof DARK): number | undefined => {
    const foreground = run.foreground === undefined ? terminal.foreground : PALETTE[run.foreground];
    const background = run.background === undefined ? terminal.background : PALETTE[run.background];
    if (foreground === undefined || background === undefined) return undefined;
    return contrast(run.dim ? between(foreground, background) : foreground, background);
  };
  const [dark, light] = [on(DARK), on(LIGHT)];
  return dark === undefined || light === undefined ? undefined : { dark, light };
}

/**
 * Why a run of text cannot be read on a dark or on a light terminal, with xterm's own colours; undefined if it can.
 * Every colour of the sixteen may be legible on one background only; most of the bright ones are. So a run must be
 * legible on both, text longer than a word must be comfortable on both, and colours beyond the sixteen, which no
 * theme of the user adapts, are not used at all.
 */
export function unreadable(run: Run): string | undefined {
  const where = `'${run.text.trim()}' at ${run.row},${run.column}`;
  if (run.text.trim() === '') return undefined;
  const contrasts = contrastsOf(run);
  if (contrasts === undefined) return `${where} has a colour that is not one of the sixteen`;
  for (const [name, value] of Object.entries(contrasts)) {
    if (value < LEGIBLE) return `${where} has a contrast of ${value.toFixed(1)} on a ${name} background`;
    if (value < COMFORTABLE && run.text.trim().length > LONGEST_WORD) {
      return `${where} is long for a contrast of ${value.toFixed(1)} on a ${name} background`;
    }
  }
  return undefined;
}

/** xterm draws dim text halfway to the background. */
function between(a: Rgb, b: Rgb): Rgb {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2];
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
