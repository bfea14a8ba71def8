import type { ProblemCode, Severity } from '../errors/codes.js';

/** The evidence for a finding: a place on disk, and what is there. */
export interface FindingEvidence {
  path?: string;
  /** From 1; absent if the file is too long to count lines: then there is an offset. */
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
  /** One sentence for a person; it may contain control characters, which views escape. */
  what: string;
  evidence: FindingEvidence[];
  /** What to do, one step per line. */
  advice: string[];
  /** The tasks it is about, each once. */
  task_ids: string[];
}

/** What a check found in one place. Symptoms with the same `code` and `cause` become one finding. */
export interface Symptom {
  code: ProblemCode;
  severity: Severity;
  /** Distinguishes symptoms with the same code: the library that is missing, the disk that is full. */
  cause?: string;
  /** The sentence for this many symptoms. */
  what: (count: number) => string;
  evidence: FindingEvidence[];
  advice: string[];
  task_id?: string;
}

const RANK: Record<Severity, number> = { error: 0, warning: 1, note: 2 };

/** Groups symptoms into findings: errors first, notes last, otherwise in the order of the symptoms. Pure. */
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

/** Whether anything is wrong. */
export function isWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity !== 'note');
}

/** `1 task`, `3 tasks`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`;
}
