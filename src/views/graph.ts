import type { GraphFormat, GraphNode, TaskGraph } from '../task/graph.js';
import { visible } from '../text/escape.js';
import { orderingTree } from './parts/ordering-tree.js';
import type { Style } from './parts/style.js';

/** Names cannot end the quotes that they are in: whatever they hold is shown, and nothing of it is syntax. */
const WRITERS: Record<GraphFormat, (graph: TaskGraph, style: Style) => string> = {
  text: ({ nodes, orders }, style) => orderingTree(nodes, orders, style),
  mermaid: mermaidText,
  dot: dotText,
};

/**
 * What each process of a task waits for: as a tree, in Mermaid's language, or in that of Graphviz. Processes that ran
 * have their states.
 */
export function graphText(graph: TaskGraph, format: GraphFormat, style: Style): string {
  return WRITERS[format](graph, style);
}

/** The colours of states: what fills a node, and its border. A state is always written, too. */
const COLOURS: Readonly<Record<string, { fill: string; line: string; states: readonly string[] }>> = {
  succeeded: { fill: '#d9f2d9', line: '#2e7d32', states: ['SUCCESS'] },
  live: { fill: '#d6eaf8', line: '#1f618d', states: ['FORKED', 'RUNNING'] },
  failed: { fill: '#fadbd8', line: '#b03a2e', states: ['FAILED', 'KILLED', 'LOST'] },
};

function colourOf({ state }: GraphNode): string | undefined {
  return Object.keys(COLOURS).find((name) => COLOURS[name]?.states.includes(String(state)));
}

/** The lines of a label. */
function labelOf({ process, state, kinds }: GraphNode): string[] {
  return [
    visible(process),
    ...(state === undefined ? [] : [String(state)]),
    ...(kinds.length === 0 ? [] : [`(${kinds.join(', ')})`]),
  ];
}

const isMissing = ({ kinds }: GraphNode) => kinds.includes('missing');

function mermaidText({ nodes, edges }: TaskGraph): string {
  const classes = new Map<string, string[]>();
  for (const [i, node] of nodes.entries()) {
    const name = isMissing(node) ? 'missing' : colourOf(node);
    if (name !== undefined) classes.set(name, [...(classes.get(name) ?? []), `p${i}`]);
  }
  return lines([
    'flowchart TD',
    ...nodes.map((node, i) => `  p${i}["${labelOf(node).map(mermaidEscaped).join('<br/>')}"]`),
    ...edges.map(([before, after]) => `  p${before} --> p${after}`),
    ...[...classes].flatMap(([name, ids]) => [
      `  classDef ${name} ${mermaidStyle(name)}`,
      `  class ${ids.join(',')} ${name}`,
    ]),
  ]);
}

function mermaidStyle(name: string): string {
  const colour = COLOURS[name];
  return colour === undefined
    ? 'stroke-dasharray:4'
    : `fill:${colour.fill},stroke:${colour.line},color:#000000`;
}

/**
 * Everything but letters, digits, single spaces, and hyphens and underscores inside of words becomes a character code
 * (`#35;`): quotes and tags, the marks of Markdown, which Mermaid finds in labels, and those of its own comments.
 */
const NOT_PLAIN = /(?<![\p{L}\p{N}])[-_]|[-_](?![\p{L}\p{N}])|[^\p{L}\p{N}\p{M} _-]|^ | $| (?= )/gu;

function mermaidEscaped(text: string): string {
  return text.replace(NOT_PLAIN, (char) => `#${char.codePointAt(0)};`);
}

function dotText({ name, nodes, edges }: TaskGraph): string {
  return lines([
    `digraph ${dotQuoted(visible(name))} {`,
    '  node [shape=box style="rounded,filled" fillcolor="#ffffff"]',
    ...nodes.map((node, i) => `  p${i} [label=${dotLabel(labelOf(node))}${dotStyle(node)}]`),
    ...edges.map(([before, after]) => `  p${before} -> p${after}`),
    '}',
  ]);
}

function dotStyle(node: GraphNode): string {
  if (isMissing(node)) return ' style="rounded,dashed"';
  const colour = COLOURS[colourOf(node) ?? ''];
  return colour === undefined ? '' : ` fillcolor="${colour.fill}" color="${colour.line}"`;
}

/** In a label, `\n` is a new line, other backslashes have meanings too, and `&lt;` is a character. */
function dotLabel(rows: readonly string[]): string {
  const escaped = rows.map((row) =>
    row.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('&', '&amp;'),
  );
  return `"${escaped.join('\\n')}"`;
}

/** A name, which has no escape but that of the quote; a backslash before the last quote would hide it. */
function dotQuoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
