import * as Flags from '@oclif/core/flags';
import { GRAPH_FORMATS, type GraphFormat, type TaskGraph } from '../task/graph.js';
import type { Style } from '../views/parts/style.js';

export const GRAPH_FLAG = Flags.option({
  options: GRAPH_FORMATS,
  exclusive: ['json'],
  summary: 'Show only what waits for what: as a tree, or in the language of Mermaid or of Graphviz.',
})();

/** The text of a graph. */
export async function drawn(graph: TaskGraph, format: GraphFormat): Promise<(style: Style) => string> {
  const { graphText } = await import('../views/graph.js');
  return (style) => graphText(graph, format, style);
}
