import type { ProblemCode, Severity } from '../errors/codes.js';

/** What a finding rests on: a place on disk, and what is there. */
export interface FindingEvidence {
  path?: string;
  /** From 1; absent where the file is too long to count, then there is an offset. */
  line?: number;
  /** In bytes. */
  offset?: number;
  text: string;
  task_id?: string;
}

export interface Finding {
  /** Stable, kebab-case. */
  code: ProblemCode;
  severity: Severity;
  /** One sentence for a person; control characters may be inside, views escape them. */
  what: string;
  evidence: FindingEvidence[];
  /** What to do, a step a line. */
  advice: string[];
  /** The tasks it is about, each once. */
  task_ids: string[];
}

/** What a check sees in one place. Symptoms of the same `code` and `cause` are one finding. */
export interface Symptom {
  code: ProblemCode;
  severity: Severity;
  /** Tells apart what the code alone does not: the library that is missing, the disk that is full. */
  cause?: string;
  /** Says it of so many symptoms. */
  what: (count: number) => string;
  evidence: FindingEvidence[];
  advice: string[];
  task_id?: string;
}

const RANK: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

/** Findings from symptoms: errors first, notes last, else in the order in which they were seen. Pure. */
export function findingsOf(symptoms: Iterable<Symptom>): Finding[] {
  const groups = new Map<string, Symptom[]>();
  for (const symptom of symptoms) {
    const key = `${symptom.code}\0${symptom.cause ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [symptom]);
    else group.push(symptom);
  }
  const findings = [...groups.values()].map((group): Finding => {
    const [first] = group as [Symptom, ...Symptom[]];
    const ids = group.map(({ task_id }) => task_id).filter((id) => id !== undefined);
    return {
      code: first.code,
      severity: group.reduce((worst, { severity }) => worse(worst, severity), first.severity),
      what: first.what(group.length),
      evidence: group.flatMap(({ evidence, task_id }) => evidence.map((each) => ({ ...each, task_id }))),
      advice: [...new Set(group.flatMap(({ advice }) => advice))],
      task_ids: [...new Set(ids)],
    };
  });
  return findings.sort((a, b) => RANK[a.severity] - RANK[b.severity]);
}

function worse(a: Severity, b: Severity): Severity {
  return RANK[b] < RANK[a] ? b : a;
}

/** Is anything wrong? */
export function isWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity !== 'note');
}

/** `1 task`, `3 tasks`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}
