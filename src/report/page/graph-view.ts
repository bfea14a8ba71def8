import { elapsed } from '../../text/age.js';
import { visible } from '../../text/escape.js';
import { fitting, type Room } from './fit.js';
import { type GraphLayout, layoutGraph, NODE } from './graph.js';
import { type Html, html, made, markup } from './html.js';
import { count, short } from './parts.js';
import type { Process } from './processes.js';
import { shapeOf, toneOf } from './state.js';

/** More do not fit on a screen: they are folded. */
const MOST_OPEN = 60;
const MOST_NODES = 600;

/** What waits for what; nothing if no process waits for another. */
export function graphSection(processes: readonly Process[], room: Room): Html {
  const drawn = processes.slice(0, MOST_NODES);
  const index = new Map(drawn.map(({ name }, i) => [name, i]));
  const edges = drawn.flatMap(({ after }, to) =>
    after.flatMap((name) => {
      const from = index.get(name);
      return from === undefined ? [] : [{ from, to }];
    }),
  );
  if (edges.length === 0) return undefined;
  const layout = layoutGraph(drawn.length, edges);
  const lines = fitting(
    layout.edges,
    (edge) => `<path class="edge" marker-end="url(#arrow)" d="${pathOf(edge.points)}"/>`,
    room,
  );
  const nodes = fitting(
    drawn,
    (process, i) => markup(nodeOf(process, layout.places[i] as { x: number; y: number })),
    room,
  );
  const left = { nodes: nodes.left + processes.length - drawn.length, edges: lines.left + layout.undrawn };
  const title = `What waits for what: ${count(drawn.length, 'process', 'processes')}, ${count(edges.length, 'constraint')}`;
  const width = Math.ceil(layout.width);
  const height = Math.ceil(layout.height);
  const drawing = html`<div class="graph" tabindex="0" role="group" aria-label=${title}>
    <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`}>
      <defs><marker id="arrow" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path class="tip" d="M0 0l6 3-6 3z" /></marker></defs>
      ${made(lines.text, 'g')}${made(nodes.text, 'g')}
    </svg></div>`;
  return html`<section aria-labelledby="graph"><div class="head"><h2 id="graph">Order</h2><p class="note">An arrow leads to what waits.</p></div>
    ${drawn.length > MOST_OPEN ? html`<details><summary>${title}</summary>${drawing}</details>` : drawing}
    ${left.nodes > 0 && html`<p class="note">${count(left.nodes, 'process is', 'processes are')} not drawn, to keep the page small.</p>`}
    ${left.edges > 0 && html`<p class="note">${count(left.edges, 'constraint is', 'constraints are')} not drawn, to keep the page small.</p>`}
  </section>`;
}

function nodeOf({ name, anchor, state, runs, kinds }: Process, { x, y }: { x: number; y: number }): Html {
  const { start, stop } = runs.at(-1) ?? {};
  const took = start !== undefined && stop !== undefined ? ` · ${elapsed(stop - start)}` : '';
  const kind = kinds.length > 0 ? ` · ${kinds.join(', ')}` : '';
  const words = `${visible(String(state))}${took}`;
  return html`<a href=${`#${anchor}`} class=${toneOf(state)}><title>${`${visible(name.slice(0, 200))}: ${words}${kind}`}</title>
    <rect class="node" x=${round(x)} y=${round(y)} width=${NODE.width} height=${NODE.height} rx="6" />
    <use class="shape" href=${`#s-${shapeOf(state)}`} x=${round(x + 10)} y=${round(y + 12)} width="16" height="16" />
    <text x=${round(x + 34)} y=${round(y + 17)}>${short(name, 19)}</text>
    <text class="sub" x=${round(x + 34)} y=${round(y + 32)}>${words}</text></a>`;
}

function pathOf(points: GraphLayout['edges'][number]['points']): string {
  const [first = { x: 0, y: 0 }] = points;
  const last = points.at(-1) ?? first;
  const half = (first.x + last.x) / 2;
  // Dagre's points go around nodes; a straight way is drawn as a curve.
  if (points.length <= 3 || Math.abs(last.x - first.x) < 100)
    return `M${at(first)}C${round(half)} ${round(first.y)} ${round(half)} ${round(last.y)} ${at(last)}`;
  const middles = points.slice(1, -1).map((point, i) => {
    const next = points[i + 2] as { x: number; y: number };
    return `Q${at(point)} ${round((point.x + next.x) / 2)} ${round((point.y + next.y) / 2)}`;
  });
  return `M${at(first)}${middles.join('')}L${at(last)}`;
}

function at({ x, y }: { x: number; y: number }): string {
  return `${round(x)} ${round(y)}`;
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
