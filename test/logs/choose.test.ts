import { describe, expect, it } from 'vitest';
import { mayGoOn } from '../../src/logs/candidate.js';
import { chooseProcesses, type RunChoice } from '../../src/logs/choose.js';
import { LocalLogTree } from '../../src/logs/local-log-tree.js';
import { whyNoLog } from '../../src/logs/missing.js';
import type { ProcessLogs, TaskLogs } from '../../src/logs/task-logs.js';

const tree = new LocalLogTree({});

function processOf(process: string, more: Partial<ProcessLogs> = {}): ProcessLogs {
  const runs = [{ state: 'FAILED' }, { state: 'RUNNING' }];
  return { process, started: 2, runs, running: true, done: false, destination: 'file', ...more };
}

function taskOf(processes: ProcessLogs[], more: Partial<TaskLogs> = {}): TaskLogs {
  const log_dir = { path: '/logs', found: true, tree };
  return {
    task_id: 't',
    root: '/r',
    state: 'ACTIVE',
    log_dir,
    done: false,
    processes,
    problems: [],
    ...more,
  };
}

function chosen(words: string[], runs: RunChoice = 'last', ...names: string[]) {
  const task = taskOf(names.map((name) => processOf(name)));
  return chooseProcesses([task], words, runs).map(({ process, runs }) => [process.process, runs]);
}

describe('chooseProcesses', () => {
  it('takes names as they are before it takes them for globs', () => {
    expect(chosen(['a*'], 'last', 'a*', 'ab')).toEqual([['a*', [1]]]);
    expect(chosen(['a*'], 'last', 'ac', 'ab', 'b')).toEqual([
      ['ac', [1]],
      ['ab', [1]],
    ]);
    expect(chosen(['?.c'], 'last', 'b.c', 'bxc', 'b.cc')).toEqual([['b.c', [1]]]);
    expect(chosen(['*]'], 'last', 'br[0]')).toEqual([['br[0]', [1]]]);
    expect(chosen(['web-*.(1)|'], 'last', 'web-a.(1)|', 'web-a')).toEqual([['web-a.(1)|', [1]]]);
    expect(chosen(['a*b'], 'last', 'a\nb')).toEqual([['a\nb', [1]]]);
  });

  it('takes all without words, each once with several', () => {
    expect(chosen([], 'last', 'a', 'b')).toHaveLength(2);
    expect(chosen(['b', 'b', '*'], 'last', 'a', 'b')).toEqual([
      ['a', [1]],
      ['b', [1]],
    ]);
  });

  it('refuses words that mean nothing, and names what there is', () => {
    expect(() => chosen(['c'], 'last', 'a', 'b')).toThrow("no process 'c' in task t: its processes are a, b");
    expect(() => chosen(['c*'], 'last', 'a')).toThrow("no process 'c*'");
    expect(() => chosen(['constructor'], 'last', 'a')).toThrow("no process 'constructor'");
  });

  it.each<[RunChoice, number[]]>([
    ['last', [1]],
    ['all', [0, 1]],
    [[0], [0]],
    [
      [-1, 1, -2],
      [0, 1],
    ],
    [[5, 0], [0]],
  ])('runs %j', (runs, expected) => {
    expect(chosen([], runs, 'a')).toEqual([['a', expected]]);
  });

  it('refuses runs that no process has', () => {
    expect(() => chosen([], [2], 'a')).toThrow('no run 2: a has runs 0 to 1');
    expect(() => chosen([], [-3], 'a')).toThrow('no run -3');
    const waiting = taskOf([processOf('a', { started: 0, runs: [] })]);
    expect(chooseProcesses([waiting], [], [2])).toMatchObject([{ runs: [] }]);
  });
});

describe('mayGoOn', () => {
  it('is false for what is over, for runs that are, and for what has no log', () => {
    const web = processOf('web');
    expect(mayGoOn(taskOf([web]), web, 'last')).toBe(true);
    expect(mayGoOn(taskOf([web], { done: true }), web, 'last')).toBe(false);
    expect(mayGoOn(taskOf([web]), processOf('web', { done: true }), 'last')).toBe(false);
    expect(mayGoOn(taskOf([web]), processOf('web', { destination: 'none' }), 'last')).toBe(false);
    expect(mayGoOn(taskOf([web]), processOf('web', { destination: 'console' }), 'last')).toBe(false);
    expect(mayGoOn(taskOf([web]), processOf('web', { destination: 'both' }), 'last')).toBe(true);
    expect(mayGoOn(taskOf([web]), web, [1])).toBe(true);
    expect(mayGoOn(taskOf([web]), web, [0])).toBe(false);
    const ended = processOf('web', { runs: [{ state: 'FAILED' }, { state: 'FAILED' }] });
    expect(mayGoOn(taskOf([ended]), ended, [1])).toBe(false);
    expect(mayGoOn(taskOf([ended]), ended, 'last')).toBe(true);
  });
});

describe('whyNoLog', () => {
  it.each<[Partial<ProcessLogs>, Partial<TaskLogs>, string, string]>([
    [{ started: 0 }, {}, 'log-not-started', 'has not started yet'],
    [{ started: 0, destination: 'none' }, { done: true }, 'log-not-started', 'never started'],
    [{ destination: 'none' }, {}, 'log-not-kept', 'destination is none'],
    [{ destination: 'console' }, {}, 'log-not-kept', 'destination is console'],
    [{}, { log_dir: { path: '/gone', found: false, tree } }, 'log-collected', '/gone is gone'],
    [{}, { log_dir: undefined }, 'log-missing', 'not recorded'],
    [{}, {}, 'log-missing', 'there is no log /logs/web/1/stdout'],
  ])('%j of %j: %s', (process, task, code, words) => {
    const web = processOf('web', process);
    const problem = whyNoLog(taskOf([web], task), web, '/logs/web/1/stdout');
    expect(problem).toMatchObject({ code, severity: 'warning', task_id: 't', process: 'web' });
    expect(problem.message).toContain(words);
  });
});
