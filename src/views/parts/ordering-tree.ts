import type { NodeKind } from '../../task/graph.js';
import { drawOrdering } from '../../task/ordering.js';
import { visible } from '../../text/escape.js';
import { paintOf } from './paint.js';
import type { Style } from './style.js';
import { branchesOf } from './tree.js';

export interface OrderingNode {
  process: string;
  state?: string | number;
  kinds: readonly NodeKind[];
}

/**
 * A tree, top down, indented up to a limit: each process under one that it waits for, followed by its state and kinds
 * and by what else it waits for.
 */
export function orderingTree(
  nodes: readonly OrderingNode[],
  orders: readonly (readonly string[])[],
  style: Style,
  indent = '',
): string {
  const named = new Map(nodes.map((node) => [node.process, node]));
  const lines = drawOrdering({ processes: nodes.map(({ process }) => ({ name: process })), orders });
  const branches = branchesOf(
    lines.map(({ depth }) => depth),
    style,
  );
  return lines
    .map(({ process, also }, i) => {
      const { state, kinds } = named.get(process) as OrderingNode;
      const words = [
        `${branches[i]}${visible(process)}`,
        ...(state === undefined ? [] : [paintOf(style.paint, String(state))(String(state))]),
        ...(kinds.length > 0 ? [`(${kinds.join(', ')})`] : []),
        ...(also.length > 0 ? [`also after ${also.map(visible).join(', ')}`] : []),
      ];
      return `${indent}${words.join(' ')}\n`;
    })
    .join('');
}
