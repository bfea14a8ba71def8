import { CODE_GROUPS, type CodeEntry } from '../errors/codes.js';
import { EXIT } from '../errors/exit-codes.js';

/** What help, the man page and the documentation say about a code. */
export interface CodePage {
  code: string;
  meaning: string;
  remedy?: string;
  severity: readonly string[];
  /** Exit codes of commands that end with it, as numbers. */
  exit: readonly number[];
}

/** The codes of problems and errors, by topic. */
export const CODE_PAGES: readonly { title: string; codes: readonly CodePage[] }[] = Object.entries(
  CODE_GROUPS,
).map(([title, group]) => ({
  title,
  codes: Object.entries<CodeEntry>(group).map(([code, { severity = [], exit = [], ...texts }]) => ({
    code,
    severity,
    exit: exit.map((name) => EXIT[name]).sort((a, b) => a - b),
    ...texts,
  })),
}));

export const CODES: ReadonlyMap<string, CodePage> = new Map(
  CODE_PAGES.flatMap(({ codes }) => codes.map((page) => [page.code, page])),
);
