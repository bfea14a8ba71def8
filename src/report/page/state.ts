import { visible } from '../../text/escape.js';
import { html } from './html.js';

/** What the colour of a state says. */
export type Tone = 'good' | 'bad' | 'live' | 'wait' | 'none';

/** The shape of a state: one of the symbols in `SHAPES`. */
type Shape = 'tick' | 'cross' | 'question' | 'stop' | 'play' | 'half' | 'ring' | 'dash';

const STATES: ReadonlyMap<string, readonly [Tone, Shape]> = new Map([
  ['SUCCESS', ['good', 'tick']],
  ['FAILED', ['bad', 'cross']],
  ['LOST', ['bad', 'question']],
  ['KILLED', ['bad', 'stop']],
  ['ACTIVE', ['live', 'play']],
  ['RUNNING', ['live', 'play']],
  ['FORKED', ['live', 'ring']],
  ['WAITING', ['wait', 'ring']],
  ['CLEANING', ['wait', 'half']],
  ['FINALIZING', ['wait', 'half']],
]);

/** The colour of a state of a task or a process, as in the program's text on a terminal. */
export function toneOf(state: string | number): Tone {
  return STATES.get(String(state))?.[0] ?? 'none';
}

export function shapeOf(state: string | number): Shape {
  return STATES.get(String(state))?.[1] ?? 'dash';
}

/** In a square of 16. */
const SHAPES: Readonly<Record<Shape, string>> = {
  tick: '<circle cx="8" cy="8" r="8" fill="currentColor"/><path d="M4.5 8.2l2.4 2.5 4.7-5.2" fill="none" stroke="var(--on)" stroke-width="2"/>',
  cross:
    '<path d="M5 0h6l5 5v6l-5 5H5l-5-5V5z" fill="currentColor"/><path d="M5 5l6 6m0-6l-6 6" fill="none" stroke="var(--on)" stroke-width="2"/>',
  question:
    '<path d="M8 0l8 8-8 8-8-8z" fill="currentColor"/><path d="M6 6.6a2 1.8 0 1 1 2 2.2v.6m0 1.2v1.4" fill="none" stroke="var(--on)" stroke-width="1.6"/>',
  stop: '<rect width="16" height="16" rx="2" fill="currentColor"/><rect x="5" y="5" width="6" height="6" fill="var(--on)"/>',
  play: '<path d="M2.5 0.8v14.4L15 8z" fill="currentColor" stroke="currentColor" stroke-linejoin="round"/>',
  half: '<circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" stroke-width="2"/><path d="M8 1a7 7 0 0 1 0 14z" fill="currentColor"/>',
  ring: '<circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" stroke-width="2"/>',
  dash: '<circle cx="8" cy="8" r="7" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="3 2.5"/>',
};

/** Every shape and pattern, once: the others on the page refer to these. */
export const SPRITE = `<svg class="sprite" aria-hidden="true">${Object.entries(SHAPES)
  .map(([shape, drawing]) => `<symbol id="s-${shape}" viewBox="0 0 16 16">${drawing}</symbol>`)
  .join(
    '',
  )}<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="under" width="6" height="6"/><rect class="ink" width="3.4" height="6"/></pattern><pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="under" width="5" height="5"/><rect class="ink" width="2.4" height="5"/></pattern></defs></svg>`;

/** The word of a state with its shape, in its colour. A page may have thousands of them: it is short. */
export function stateMark(state: string | number) {
  return html`<b class=${`state ${toneOf(state)}`}><svg><use href=${`#s-${shapeOf(state)}`} /></svg>${visible(String(state))}</b>`;
}
