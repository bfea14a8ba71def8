import { chainsOf, type Excerpt, excerptOf, type LogChain } from './excerpt.js';
import type { LogFile } from './list-logs.js';
import type { LogTree } from './log-tree.js';

export const FIRST_LINES = 20;
export const LAST_LINES = 200;
/** For both streams of a run. */
const RUN_BYTES = 64 * 1024;
/** A log that would get less is left out, so that none is shown as a few words. */
const LEAST_BYTES = 2 * 1024;
/** Opening files takes time, too. */
const MOST_LOGS = 1000;
/** What is read only to count lines: in one log, and in all of them. */
const COUNTED_BYTES = 1024 * 1024;
const ALL_COUNTED_BYTES = 8 * COUNTED_BYTES;

/** How much a process matters to a reader who asks what became of a task: the lower, the more. */
export type RankOf = (process: string, run: number) => number;

export interface ExcerptsOptions {
  bytes: number;
  rankOf: RankOf;
  /** How many bytes may be read only to count their lines. */
  counted?: number;
}

/**
 * Excerpts of a task's logs with at most `bytes` in total: those of the runs with the lowest rank first, each with its
 * share of what is left. In the order of the files; logs for which no room is left are absent.
 */
export async function excerptsOf(
  files: readonly LogFile[],
  tree: LogTree,
  { bytes, rankOf, counted = ALL_COUNTED_BYTES }: ExcerptsOptions,
): Promise<Excerpt[]> {
  const all = chainsOf(files);
  const runs = byRank(all, rankOf);
  const excerpts = new Map<LogChain, Excerpt>();
  let left = bytes;
  let countable = counted;
  let opened = 0;
  for (const { chains, peers } of runs) {
    // Those of the same rank have the same share.
    let share = Math.min(RUN_BYTES, Math.max(2 * LEAST_BYTES, Math.floor(left / peers)), left);
    // The shorter one first: the longer one gets what it leaves.
    const shortest = chains.toSorted((a, b) => sizeOf(a) - sizeOf(b));
    for (const [i, chain] of shortest.entries()) {
      const size = sizeOf(chain);
      const maxBytes = Math.floor(share / (shortest.length - i));
      if (size > 0 && (opened === MOST_LOGS || (maxBytes < LEAST_BYTES && maxBytes < size))) continue;
      const limits = { first: FIRST_LINES, last: LAST_LINES, maxBytes };
      const excerpt = await excerptOf(chain, tree, {
        ...limits,
        countedBytes: Math.min(COUNTED_BYTES, countable),
      });
      excerpts.set(chain, excerpt);
      const used = size - (excerpt.left_out?.bytes ?? 0);
      if (size > 0) opened += 1;
      if (excerpt.left_out?.lines !== undefined && size > maxBytes) countable -= excerpt.left_out.bytes;
      share -= used;
      left -= used;
    }
  }
  return all.map((chain) => excerpts.get(chain)).filter((excerpt) => excerpt !== undefined);
}

interface RankedLogs {
  chains: LogChain[];
  rank: number;
  /** How many runs of this rank have not been read when its turn comes, with itself. */
  peers: number;
}

function byRank(chains: readonly LogChain[], rankOf: RankOf): RankedLogs[] {
  const runs: RankedLogs[] = [];
  for (const chain of chains) {
    const [{ process, run }] = chain;
    const [before] = runs.at(-1)?.chains[0] ?? [];
    if (before?.process === process && before.run === run) runs.at(-1)?.chains.push(chain);
    else runs.push({ chains: [chain], rank: rankOf(process, run), peers: 0 });
  }
  runs.sort((a, b) => a.rank - b.rank);
  for (const [i, run] of [...runs.entries()].reverse()) {
    const next = runs[i + 1];
    run.peers = next?.rank === run.rank ? next.peers + 1 : 1;
  }
  return runs;
}

function sizeOf(chain: LogChain): number {
  return chain.reduce((sum, { bytes }) => sum + bytes, 0);
}
