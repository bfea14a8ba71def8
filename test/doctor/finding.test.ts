import { expect, test } from 'vitest';
import { findingsOf, type Symptom } from '../../src/doctor/finding.js';

const symptom = (task_id: string, advice: Symptom['advice']): Symptom => ({
  code: 'runner-dead',
  severity: 'error',
  what: (count) => `${count}`,
  evidence: [],
  advice,
  task_id,
});
const gc = (id: string, root = '/r') => ({
  text: 'give it up',
  names: [id],
  command: (ids: readonly string[]) => `thermos gc --root ${root} ${ids.join(' ')}`,
});
const adviceOf = (...symptoms: Symptom[]) => findingsOf(symptoms)[0]?.advice;

test('equal steps are one step, for all of their tasks', () => {
  expect(
    adviceOf(symptom('a', ['look', gc('a')]), symptom('b', [gc('b'), 'look']), symptom('a', [gc('a')])),
  ).toEqual(['look', 'give it up: thermos gc --root /r a b']);
});

test('tasks in different roots get a command each', () => {
  expect(adviceOf(symptom('a', [gc('a')]), symptom('b', [gc('b', '/s')]))).toEqual([
    'give it up: thermos gc --root /r a',
    'give it up: thermos gc --root /s b',
  ]);
});

test('a command for very many tasks names the first of them, and says how many there are', () => {
  const many = Array.from({ length: 60 }, (_, i) => symptom(`t${i}`, [gc(`t${i}`)]));
  const [line] = adviceOf(...many) ?? [];
  expect(line).toMatch(/^give it up \(the first 50 of 60\): thermos gc --root \/r t0 .* t49$/);
  const one = many.map((each, i) => ({ ...each, advice: [{ ...gc(`t${i}`), most: 1 }] }));
  expect(adviceOf(...one)).toEqual(['give it up (the first of 60): thermos gc --root /r t0']);
});
