import dagre from '@dagrejs/dagre';

/** The places of nodes and edges of a graph, from left to right. Nodes are known by their index. */
export interface GraphLayout {
  width: number;
  height: number;
  /** Of the left upper corner of each node. */
  places: readonly { x: number; y: number }[];
  edges: readonly { from: number; to: number; points: readonly { x: number; y: number }[] }[];
  /** How many edges are not drawn because there are too many. */
  undrawn: number;
}

export interface Edge {
  from: number;
  to: number;
}

export const NODE = { width: 176, height: 40 };
const BETWEEN = { ranks: 44, nodes: 12 };

/** Above these, dagre takes too long: ten times the nodes cost it a hundred times as much. */
const MOST_FOR_DAGRE = { nodes: 100, edges: 300 };
export const MOST_EDGES = 1500;

/** Pure. Edges of nodes that there are not, and of a node to itself, are left out. */
export function layoutGraph(nodes: number, edges: readonly Edge[]): GraphLayout {
  const isNode = (i: number) => Number.isInteger(i) && i >= 0 && i < nodes;
  const good = edges.filter(({ from, to }) => isNode(from) && isNode(to) && from !== to);
  return nodes <= MOST_FOR_DAGRE.nodes && good.length <= MOST_FOR_DAGRE.edges
    ? byDagre(nodes, good)
    : byRanks(nodes, good);
}

function byDagre(nodes: number, edges: readonly Edge[]): GraphLayout {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', ranksep: BETWEEN.ranks, nodesep: BETWEEN.nodes, marginx: 2, marginy: 2 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (let i = 0; i < nodes; i++) graph.setNode(String(i), { ...NODE });
  for (const { from, to } of edges) graph.setEdge(String(from), String(to));
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    places: Array.from({ length: nodes }, (_, i) => {
      const { x, y } = graph.node(String(i));
      return { x: x - NODE.width / 2, y: y - NODE.height / 2 };
    }),
    edges: graph.edges().map((edge) => ({
      from: Number(edge.v),
      to: Number(edge.w),
      points: graph.edge(edge).points,
    })),
    undrawn: 0,
  };
}

/** The length of the longest path to each node; what is in a circle, or behind one, comes after all others. */
export function ranksOf(nodes: number, edges: readonly Edge[]): number[] {
  const next: number[][] = Array.from({ length: nodes }, () => []);
  const waits = new Array<number>(nodes).fill(0);
  for (const { from, to } of edges) {
    next[from]?.push(to);
    waits[to] = (waits[to] as number) + 1;
  }
  const ranks = new Array<number>(nodes).fill(-1);
  const ready = waits.flatMap((count, i) => (count === 0 ? [i] : []));
  for (const i of ready) ranks[i] = 0;
  let last = -1;
  // Grows while it is read.
  for (const i of ready) {
    const rank = Math.max(0, ranks[i] as number);
    last = Math.max(last, rank);
    for (const to of next[i] as number[]) {
      ranks[to] = Math.max(ranks[to] as number, rank + 1);
      waits[to] = (waits[to] as number) - 1;
      if (waits[to] === 0) ready.push(to);
    }
  }
  return ranks.map((rank, i) => ((waits[i] as number) > 0 ? last + 1 : rank));
}

/** Columns by rank, in the order of the nodes. */
function byRanks(nodes: number, edges: readonly Edge[]): GraphLayout {
  const ranks = ranksOf(nodes, edges);
  const heights: number[] = [];
  const places = ranks.map((rank) => {
    const row = heights[rank] ?? 0;
    heights[rank] = row + 1;
    return { x: 2 + rank * (NODE.width + BETWEEN.ranks), y: 2 + row * (NODE.height + BETWEEN.nodes) };
  });
  const middle = NODE.height / 2;
  const columns = ranks.reduce((most, rank) => Math.max(most, rank + 1), 0);
  const rows = heights.reduce((most, height) => Math.max(most, height ?? 0), 0);
  return {
    width: columns * (NODE.width + BETWEEN.ranks) - BETWEEN.ranks + 4,
    height: rows * (NODE.height + BETWEEN.nodes) - BETWEEN.nodes + 4,
    places,
    edges: edges.slice(0, MOST_EDGES).map(({ from, to }) => {
      const a = places[from] as { x: number; y: number };
      const b = places[to] as { x: number; y: number };
      return {
        from,
        to,
        points: [
          { x: a.x + NODE.width, y: a.y + middle },
          { x: b.x, y: b.y + middle },
        ],
      };
    }),
    undrawn: Math.max(0, edges.length - MOST_EDGES),
  };
}
