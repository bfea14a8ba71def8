import type { Discovery, TaskRoot } from '../discovery/found.js';
import type { RootsDocument } from './host.js';

/** The document of `thermos roots`: every root and the number of its tasks. */
export function encodeRoots({ roots, tasks, problems }: Discovery): RootsDocument {
  const counts = new Map<TaskRoot, number>();
  for (const { root } of tasks) counts.set(root, (counts.get(root) ?? 0) + 1);
  return {
    roots: roots.map((root) => ({
      path: root.path,
      layout: root.layout,
      agent: root.agent,
      source: root.source,
      tasks: counts.get(root) ?? 0,
      readable: root.readable,
    })),
    problems,
  };
}
