import { itemOf, questionOf, type Target } from '../../src/gc/actions.js';
import type { Item } from '../../src/gc/guards.js';
import { EvidenceOnDisk } from '../../src/gc/inspector.js';
import type { Subject } from '../../src/gc/subject.js';

/** What the guards are asked about a planned target, with the evidence that is on disk now. */
export function itemOfTarget(
  subject: Subject | undefined,
  target: Target,
  kind: Item['kind'] = 'data',
): Item {
  if (subject === undefined || target.home === undefined) throw new Error('no target of logs or data');
  const path = `${target.directory}/${target.name}`;
  const question = questionOf(subject, path, target.home, target.logDir);
  const shown = new EvidenceOnDisk(process.geteuid?.() ?? 0, new Set()).shown(question, subject);
  return itemOf(kind, subject, path, target.home, target.measure, shown);
}
