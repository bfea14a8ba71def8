import type { ProblemCode, Severity } from '../errors/codes.js';

/** The evidence for a finding: a place on disk, and what is there. */
export interface FindingEvidence {
  path?: string;
  /** The address of the agent that has it. */
  agent?: string;
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

/** A step of advice with the command for it. Steps with the same text and command are one step, with the names of all. */
export interface CommandAdvice {
  readonly text: string;
  /** What the command is for: ids of tasks, pids, a path. */
  readonly names: readonly string[];
  /** How many of them one command line may have. */
  readonly most?: number;
  /** On one line, ready to be pasted. */
  readonly command: (names: readonly string[]) => string;
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
  advice: (string | CommandAdvice)[];
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
      advice: adviceOf(group),
      task_ids: [...new Set(ids)],
    };
  });
  return worstFirst(findings);
}

/** Errors first, notes last, otherwise as they are. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}

/** A longer command line is hard to check before it is run. */
const MOST_NAMES = 50;

/** Each step once, in the order of the symptoms; a command is for the names of all of them. */
function adviceOf(group: readonly Symptom[]): string[] {
  const steps = new Map<string, { step: string | CommandAdvice; names: Set<string> }>();
  for (const step of group.flatMap(({ advice }) => advice)) {
    const isText = typeof step === 'string';
    const key = isText ? step : `${step.text}\0${step.command([])}`;
    const merged = steps.get(key) ?? { step, names: new Set() };
    steps.set(key, merged);
    for (const name of isText ? [] : step.names) merged.names.add(name);
  }
  return [...steps.values()].map(({ step, names }) =>
    typeof step === 'string' ? step : written(step, [...names]),
  );
}

function written({ text, most = MOST_NAMES, command }: CommandAdvice, names: readonly string[]): string {
  const shown = names.slice(0, most);
  const first = shown.length === 1 ? 'first' : `first ${shown.length}`;
  const part = names.length > shown.length ? ` (the ${first} of ${names.length})` : '';
  return `${text}${part}: ${command(shown)}`;
}

function worse(a: Severity, b: Severity): Severity {
  return RANK[b] < RANK[a] ? b : a;
}

/** Whether anything is wrong. */
export function isWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity !== 'note');
}
