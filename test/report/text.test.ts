import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import type { TaskReport } from '../../src/report/model.js';
import { MOST_BYTES, MOST_COLUMNS, reportText } from '../../src/report/text.js';
import { excerpt, failedTask, MADE_MS, report } from './reports.js';
import { seenBy } from './seen.js';

describe('the text of a report', () => {
  it('has the answer at its end: what failed, its last lines, and why', () => {
    expect(reportText(report())).toBe(`Task:      www-data-prod-web-0
Name:      web
State:     FAILED since 2025-11-21T18:33:51Z
Launched:  2025-11-21T18:33:20Z, 31s before that
User:      www-data
Host:      host-1
Processes: 1 SUCCESS, 1 FAILED, 1 WAITING
Made:      2025-11-21T18:34:20Z by thermos 1.0.0

TIMELINE
  2025-11-21T18:33:20Z to 2025-11-21T18:33:50Z, 30s
  fetch                            0 |===========                     | SUCCESS                  10s
  web                              0 |          xxxxxxx               | FAILED (2)             5.50s
  web                              1 |                 xxxxxxxxxxxxxxx| FAILED (signal 9)        14s
  report                             |                                | WAITING

STDERR OF web, RUN 1 (42B)
  | listening on 8080
  | no space left on device

WHY
  The task ended FAILED at 2025-11-21T18:33:51Z.
  Process web failed first: run 1, signal 9, SIGKILL, at 2025-11-21T18:33:50Z.
  Task: 1 of 1 allowed failed processes used, so the task fails.
`);
  });

  it('keeps the lines of the log in WHY if they are not above', () => {
    expect(reportText(report({ excerpts: [] }))).toContain(
      'Its stderr ends with:\n  | no space left on device\n',
    );
  });

  it('shows the end of stdout if nothing is in stderr, and that it is the end', () => {
    const text = reportText(
      report({
        excerpts: [
          excerpt({ first: [] }),
          excerpt({ stream: 'stdout', bytes: 4096, first: ['a'], left_out: { bytes: 4000 }, last: ['b'] }),
        ],
      }),
    );
    expect(text).toContain('\nSTDOUT OF web, RUN 1 (its end, of 4KiB)\n  | a\n  | b\n');
  });

  it('draws a run that goes on up to the time of the report, and says which times cannot be true', () => {
    const task = failedTask({
      history: {
        web: [
          { state: 'FAILED', start_time: 1e300, stop_time: 5 },
          { state: 'FAILED', start_time: 'nan' },
          { state: 'RUNNING', start_time: MADE_MS / 1000 - 5 },
        ],
      },
    });
    expect(reportText(report({ task })).split('TIMELINE\n')[1]?.split('\n\n')[0]).toBe(
      `  2025-11-21T18:34:15Z to 2025-11-21T18:34:20Z, 5.00s
  fetch                              |                                | WAITING
  web                              0 |                                | FAILED
  web                              1 |                                | FAILED
  web                              2 |>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>| RUNNING                5.00s
  report                             |                                | WAITING
  2 of the runs have times that cannot be true, and no bar`,
    );
  });

  it('folds the earlier runs of a process that ran very often, and the least urgent of very many processes', () => {
    const runs = Array.from({ length: 99 }, (_, i) => ({
      state: i === 98 ? ('SUCCESS' as const) : ('FAILED' as const),
      return_code: i === 98 ? 0 : 1,
      start_time: MADE_MS / 1000 - 200 + i,
      stop_time: MADE_MS / 1000 - 199.5 + i,
    }));
    const often = reportText(report({ task: failedTask({ history: { web: runs } }) }));
    expect(often).toContain('98 earlier runs: 98 FAILED (1)\n');
    const processes = Array.from({ length: 500 }, (_, i) => ({
      process: `p${i}`,
      state: i === 400 ? ('FAILED' as const) : ('SUCCESS' as const),
      runs: 1,
      failures: 0,
    }));
    const history = Object.fromEntries(processes.map(({ process, state }) => [process, [{ state }]]));
    const many = reportText(report({ task: failedTask({ processes, history }) }));
    expect(many).toContain('  p400 ');
    expect(many).toContain('  ... 476 more processes: 476 SUCCESS\n');
  });

  it('says what a record has seen, against what was asked for', () => {
    const text = reportText(
      report({ resources_seen: seenBy(['a', '\u202e'.repeat(50)], MADE_MS - 3_600_000) }),
    );
    const part = text.split('RESOURCES SEEN\n')[1]?.split('\n\n')[0];
    expect(part).toBe(
      `  2025-11-21T17:34:20Z to 2025-11-21T18:34:20Z, 1h, samples: 50
  asked for: CPU 1.00, memory 64MiB, disk 1GiB
                                CPU mean     max  of asked   memory max  of asked
  task                              1.12    2.00     !200%        60MiB       94%
    a                               0.56    1.00      100%        60MiB       94%
    \\u{202e}\\u{...02e}\\u{202e}      0.56    1.00      100%        60MiB       94%
  disk, max: 1MiB 0%`,
    );
  });

  it('escapes what could deceive or act on a terminal', () => {
    const bad = '\u202e\u001b]0;x\u0007<script>';
    const text = reportText(
      report({
        task: failedTask({ name: bad, user: bad, why: [`because ${bad}`], state: 7 }),
        excerpts: [excerpt({ first: [bad] })],
      }),
    );
    expect(text).not.toMatch(/[^\n -~]/);
    expect(text).toContain('Name:      \\u{202e}\\e]0;x\\u{7}<script>\n');
  });

  it('has at most 32 KiB, and lines of at most 100 columns, whatever the task holds', () => {
    const nasty = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.constantFrom(
        'x'.repeat(20_000),
        '漢'.repeat(3000),
        `e${'\u0301'.repeat(5000)}`,
        '\u1100'.repeat(5000),
      ),
      fc.constantFrom('\n\n\n', '\u001b[31m', '\u202e', '👨‍👩‍👧‍👦'.repeat(300), '\ud800', '__proto__'),
    );
    const time = fc.oneof(
      fc.double({ min: MADE_MS / 1000 - 1000, max: MADE_MS / 1000, noNaN: true }),
      fc.constantFrom<number | 'nan'>(0, -1e300, 1e300, 'nan'),
    );
    const state = fc.constantFrom('FAILED' as const, 'SUCCESS' as const, 'RUNNING' as const, 99);
    const run = fc.record({ state, start_time: time, stop_time: time, return_code: fc.integer() });
    const lines = fc.array(nasty, { maxLength: 60 });
    const reports = fc.record({
      why: fc.array(
        nasty.map((text) => `  | ${text}`).chain((quoted) => fc.constantFrom(quoted, quoted.slice(4))),
        { maxLength: 60 },
      ),
      name: nasty,
      messages: fc.array(nasty, { maxLength: 60 }),
      history: fc.array(fc.tuple(nasty, fc.array(run, { maxLength: 40 })), { maxLength: 40 }),
      lines,
      seen: fc.array(nasty, { maxLength: 30 }),
    });
    fc.assert(
      fc.property(reports, ({ why, name, messages, history, lines, seen }) => {
        const problems = messages.map((message) => ({
          code: 'bug' as const,
          severity: 'error' as const,
          message,
        }));
        const names = history.map(([process]) => process);
        const own: TaskReport['task']['history'] = Object.create(null);
        for (const [process, runs] of history) own[process] = runs;
        const processes = names.map((process) => ({
          process,
          state: 'FAILED' as const,
          runs: 1,
          failures: 1,
        }));
        const task = failedTask({ why, name, user: name, task_id: name, problems, history: own, processes });
        const [process = 'web'] = names;
        const text = reportText(
          report({
            task,
            failing: { process, run: 0 },
            excerpts: [excerpt({ process, run: 0, first: lines })],
            resources_seen: seenBy([...new Set(seen)], MADE_MS),
          }),
        );
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MOST_BYTES);
        for (const line of text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(MOST_COLUMNS);
      }),
      { numRuns: 20 },
    );
  });
});
