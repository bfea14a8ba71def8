import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { InspectDocument } from '../../../src/contracts/task.js';
import type { Excerpt } from '../../../src/logs/excerpt.js';
import type { TaskReport } from '../../../src/report/model.js';
import { bytesOf } from '../../../src/report/page/html.js';
import { taskPage } from '../../../src/report/pages.js';
import { seenBy } from '../seen.js';
import { failureWith, LAUNCHED, reportOf, runOf, taskOf, taskWith } from './reports.js';

const MIB = 1024 * 1024;

/** The text of a page as a person reads it, without style and script. */
function textOf(page: string): string {
  return page
    .replaceAll(/<(style|script)>[\s\S]*?<\/\1>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ');
}

/** The tags of a page, with their attributes. */
function tagsOf(page: string): string[] {
  return page.replaceAll(/(<(style|script)>)[\s\S]*?(?=<\/\2>)/g, '$1').match(/<[a-zA-Z][^>]*>/g) ?? [];
}

describe('the page of a task', () => {
  test('has the answer first, then everything else from the important to the rare', () => {
    const report = failureWith(['it broke']);
    const task = {
      ...report.task,
      ordering: [],
      resources: { cpu: 1, ram: 1024 ** 3 },
      ports: { http: 8080 },
    };
    const text = textOf(taskPage({ ...report, task }));
    const places = [
      'FAILED',
      'after 10s',
      'task-1',
      'Why',
      'What failed first',
      'it broke',
      'Timeline 2014-05-13 16:53:20 UTC',
      'How it ended',
      'The beginning and the end',
      'Resources asked for',
      'Ports',
      '8080',
      'as JSON',
      'Made by thermos 1.0.0',
    ];
    const found = places.map((place) => text.indexOf(place, text.indexOf('after 10s') - 20));
    expect(found).toEqual([...found].sort((a, b) => a - b));
    expect(found).not.toContain(-1);
  });

  test('has the order of processes between the timeline and the processes', () => {
    const ordering = [
      { process: 'a', after: [] },
      { process: 'b', after: ['a'] },
    ];
    const page = taskPage(reportOf(taskWith({ a: [runOf(1, 1)], b: [runOf(3, 1)] }, { ordering })));
    const ids = [...page.matchAll(/<h2 id="(\w+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(['why', 'timeline', 'graph', 'processes', 'details']);
  });

  test('has no order if no process waits for another', () => {
    expect(taskPage(reportOf(taskWith({ a: [runOf(1, 1)] })))).not.toContain('id="graph"');
  });

  test('says what the verdict means if it is not what the state says', () => {
    const task = taskOf({ state: 'ACTIVE', verdict: 'runner-gone', phase: 'active' });
    const text = textOf(taskPage(reportOf(task)));
    expect(text).toContain('ACTIVE runner-gone : its runner is gone');
  });

  test('says how long a task has been running', () => {
    const text = textOf(taskPage(reportOf(taskOf({ state: 'ACTIVE', phase: 'active' }))));
    expect(text).toMatch(/ACTIVE for 1m /);
  });

  test('has the errors of a damaged stream above everything else', () => {
    const problems = [
      { code: 'sandbox-missing' as never, message: 'a warning', severity: 'warning' as const },
      {
        code: 'checkpoint-damaged' as const,
        message: 'the stream is damaged',
        severity: 'error' as const,
        path: '/c/runner',
        offset: 77,
        hint: 'look at it',
      },
    ];
    const text = textOf(taskPage(reportOf(taskOf({ problems }))));
    expect(
      text.indexOf('Error the stream is damaged checkpoint-damaged look at it /c/runner , byte 77'),
    ).toBeLessThan(text.indexOf('Why'));
    expect(text).toContain('1 more problem');
    expect(text).toContain('Warning a warning');
  });

  test('quotes the log that failed once: in the reasons only if it is not beside them', () => {
    const why = ['Process main failed first.', 'Its stderr ends with:', '  | it broke', 'Task: 1 of 1.'];
    const report = failureWith(['it broke']);
    const withoutData = (page: string) => textOf(page.slice(0, page.indexOf('id="data"')));
    const beside = withoutData(taskPage({ ...report, task: { ...report.task, why } }));
    expect(beside).not.toContain('Its stderr ends with:');
    expect(beside).toContain('Process main failed first. Task: 1 of 1.');
    const alone = withoutData(taskPage({ ...report, excerpts: [], task: { ...report.task, why } }));
    expect(alone).toContain('Its stderr ends with: it broke Task: 1 of 1.');
  });

  test('shows the last 50 lines of the first failure, with links to the whole of it', () => {
    const lines = Array.from({ length: 120 }, (_, i) => `line ${i + 1}`);
    const page = taskPage(failureWith(lines));
    const [, failure = ''] = /<section class="failure"([\s\S]*?)<\/section>/.exec(page) ?? [];
    const text = textOf(failure);
    expect(text).toContain('main · run 0 · stderr, the last 50 lines');
    expect(text).toContain('71 line 71');
    expect(text).not.toContain('line 70 ');
    expect(failure).toContain('<a href=#g0-120 tabindex=-1>120</a>line 120');
    expect(page).toContain('<span class=l id=g0-120>');
  });

  test('folds the runs of a process that ran more than fifty times', () => {
    const runs = [
      ...Array.from({ length: 98 }, (_, i) => runOf(i / 20, 0.01, 'FAILED')),
      { state: 'LOST' as const },
      runOf(9, 0.5),
    ];
    const text = textOf(taskPage(reportOf(taskWith({ main: runs }))));
    expect(text).toContain('98 more runs, 97 FAILED (exit code 1), 1 LOST');
  });

  test('shows every log with its beginning and its end, and what is left out', () => {
    const report = failureWith(['first'], { last: ['last'], left_out: { lines: 98, bytes: 5000 } });
    const text = textOf(taskPage(report));
    expect(text).toContain('1 first 98 lines, 4.9KiB left out 100 last');
  });

  test('names the logs whose lines it does not have', () => {
    const log = {
      process: 'main',
      run: 0,
      stream: 'stdout' as const,
      path: '/s/.logs/main/0/stdout',
      bytes: 2048,
    };
    const text = textOf(taskPage(reportOf(taskWith({ main: [runOf(1, 1)] }, { logs: [log] }))));
    expect(text).toContain('1 log whose lines are not on this page /s/.logs/main/0/stdout 2KiB');
  });

  test('is loaded again only if that is wanted', () => {
    const report = reportOf(taskOf({ state: 'ACTIVE' }));
    expect(taskPage(report)).not.toContain('http-equiv="refresh"');
    expect(taskPage(report, { refresh: 5 })).toContain('<meta http-equiv="refresh" content="5"/>');
  });

  test('is the same for the same data', () => {
    const report = failureWith(['x']);
    expect(taskPage(report)).toBe(taskPage(structuredClone(report)));
  });
});

describe('what a page may do', () => {
  const page = taskPage(failureWith(['x']));

  test('is only its own style and its own script', async () => {
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; img-src data:; /,
    );
    for (const tag of ['style', 'script']) {
      const [, text = ''] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page) ?? [];
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
      expect(policy).toContain(`${tag}-src 'sha256-${Buffer.from(digest).toString('base64')}'`);
    }
  });

  test('comes before anything that it rules', () => {
    expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<style>'));
    expect(page.indexOf('Content-Security-Policy')).toBeLessThan(page.indexOf('<link'));
  });

  test('is not to load anything', () => {
    for (const tag of tagsOf(page)) {
      const [, address] = /\s(?:href|src|action|data|poster)="?([^"\s>]*)/.exec(tag) ?? [];
      if (address !== undefined) expect(address).toMatch(/^(?:#|data:image\/svg\+xml,)/);
      expect(tag).not.toMatch(/\s(?:style|on\w+)=/);
    }
  });

  test('is to lead where the report knows a way, and nowhere else', () => {
    const report = failureWith(['x']);
    const path = report.task.logs[0]?.path as string;
    const linked = (address: string) =>
      taskPage({ ...report, links: { browse: address, downloads: { [path]: address } } });
    expect(linked('http://agent:5051/files/download?path=%2Fs').match(/href="http:[^"]*"/g)).toHaveLength(3);
    for (const bad of [
      'javascript:alert(1)',
      'data:text/html,x',
      '//evil',
      'file:///etc/passwd',
      'http://a b',
    ])
      expect(linked(bad)).not.toContain(`href="${bad}`);
  });
});

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '</style><img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "'-alert(1)-'",
  '<!--',
  ']]>',
  'javascript:alert(1)',
  '\u202egnp.exe',
  '\u0000\u0007\u001b[31m\u001b]8;;http://evil/\u0007',
  '\u2028\u2029\ufeff\ud800',
  '__proto__',
];

/** A report with this text in every place that a stream, a task file or a log fills. */
function filledWith(text: string): TaskReport {
  const log = { process: text, run: 0, stream: 'stderr' as const, path: text, bytes: 10 };
  const excerpt: Excerpt = {
    ...log,
    first: [text, text],
    left_out: { bytes: 1 },
    last: [text],
    problem: text,
  };
  const problem = {
    code: 'checkpoint-damaged' as const,
    message: text,
    severity: 'error' as const,
    path: text,
    hint: text,
  };
  const history = Object.create(null) as InspectDocument['history'];
  history[text] = [runOf(1, 1, 'FAILED'), { state: 77 }];
  const own = (value: unknown) => Object.defineProperty({}, text, { value, enumerable: true });
  return {
    made_ms: LAUNCHED + 60_000,
    made_by: text,
    task: taskOf({
      task_id: text,
      root: text,
      name: text,
      user: text,
      hostname: text,
      owner: text,
      sandbox: text,
      recorded_sandbox: text,
      log_dir: text,
      ports: own(text) as Record<string, string>,
      mesos: { agent_id: text, framework_id: text, executor_id: text, container_id: text },
      processes: [{ process: text, state: 'FAILED', runs: 1, failures: 1, cmdline: text }],
      problems: [problem],
      history,
      task: { [text]: text, processes: [{ name: text, final: true }] },
      ordering: [
        { process: text, after: [text, 'other'] },
        { process: 'other', after: [text] },
      ],
      logs: [log],
      why: [text, `  | ${text}`],
    }),
    failing: { process: text, run: 0 },
    excerpts: [excerpt],
    links: { browse: text, downloads: own(text) as Record<string, string> },
  };
}

/** The tags that a page of the same shape has without anything hostile. */
const HARMLESS = new Set(tagsOf(taskPage(filledWith('main'))).map(nameOf));

function nameOf(tag: string): string {
  return (/^<([\w-]+)/.exec(tag)?.[1] ?? '').toLowerCase();
}

/** None of these is text for a person: they are not there, or escaped. */
const UNSEEN = /(?!\n|\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

function expectHarmless(page: string): void {
  const strangers = tagsOf(page).filter(
    (tag) =>
      !HARMLESS.has(nameOf(tag)) ||
      /\s(?:on\w+|style|src|srcdoc|formaction)=/i.test(tag.replaceAll(/"[^"]*"/g, '""')),
  );
  expect(strangers).toEqual([]);
  expect(page.match(/<(?:script|style)/g)).toEqual(['<style', '<script']);
  expect(UNSEEN.exec(page)).toBeNull();
}

describe('hostile text', () => {
  test.each(HOSTILE)('is shown, and does nothing: %j', (text) => {
    expectHarmless(taskPage(filledWith(text)));
  });

  test('of any kind does nothing', () => {
    const any = fc.array(
      fc.oneof(
        fc.constantFrom(...HOSTILE, '<', '>', '"', '&', '\u001b', '\n'),
        fc.string({ unit: 'binary' }),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(any, (parts) => expectHarmless(taskPage(filledWith(parts.join(''))))),
      { numRuns: 15 },
    );
  });
});

describe('a page is at most 2 MiB', () => {
  const large = (name: string) => '\u202e<&"'.repeat(250_000) + name;

  test('whatever the names and texts are', () => {
    const page = taskPage(filledWith(large('x')));
    expect(bytesOf(page)).toBeLessThanOrEqual(2 * MIB);
    expect(textOf(page)).toContain('more characters');
  });

  test('however much is wrong', () => {
    const report = filledWith('main');
    const [problem] = report.task.problems;
    const long = '\u202e"'.repeat(1000);
    const problems = Array.from({ length: 1000 }, () => ({
      ...(problem as typeof problem & object),
      message: long,
      hint: long,
      path: long,
    }));
    const page = taskPage({
      ...report,
      task: { ...report.task, problems, why: Array.from({ length: 1000 }, () => long) },
    });
    expect(bytesOf(page)).toBeLessThanOrEqual(2 * MIB);
    expect(textOf(page)).toMatch(/\d+ more problems/);
  });

  test('with 500 processes of 20 runs, all of which it shows', () => {
    const report = many(500, 20);
    const page = taskPage(report);
    expect(bytesOf(page)).toBeLessThanOrEqual(2 * MIB);
    expect(page.match(/<details class="process"/g)).toHaveLength(500);
    expect(page.match(/<div class="row"/g)).toHaveLength(500);
    const text = textOf(page);
    expect(text).toMatch(/18 more runs, 18 FAILED \(exit code 1\)/);
    expect(text).toMatch(/\d+ logs whose lines are not on this page/);
    expect(text).toMatch(/The data \(\S+ as JSON\) are not on this page/);
  });

  test('with one process of 10,000 runs', () => {
    const page = taskPage(many(1, 10_000));
    expect(bytesOf(page)).toBeLessThanOrEqual(2 * MIB);
    expect(textOf(page)).toContain('9998 more runs, 9998 FAILED (exit code 1)');
  });

  test('with 5,000 processes with large names, statuses, ports, problems', () => {
    const { task } = reportOf(taskOf());
    const list = Array.from({ length: 5_000 }, (_, i) => `${i} ${'<'.repeat(300)}`);
    const page = taskPage(
      reportOf({
        ...task,
        processes: list.map((process) => ({
          process,
          state: 'SUCCESS',
          runs: 1,
          failures: 0,
          cmdline: process,
        })),
        ordering: list.map((process, i) => ({ process, after: list.slice(Math.max(0, i - 2), i) })),
        history: Object.fromEntries(list.map((name) => [name, [runOf(1, 1)]])),
        statuses: list.map((_, i) => ({ state: 'ACTIVE', timestamp_ms: LAUNCHED + i })),
        ports: Object.fromEntries(list.map((name, i) => [name, i])),
        problems: list.map((message) => ({ code: 'checkpoint-damaged', message, severity: 'error' })),
        logs: list.map((process) => ({ process, run: 0, stream: 'stdout', path: process, bytes: 1 })),
        why: list,
      }),
    );
    expect(bytesOf(page)).toBeLessThanOrEqual(2 * MIB);
    expect(textOf(page)).toMatch(/\d+ processes are left out, to keep the page small/);
  });
});

describe('what a record has seen', () => {
  const names = ['web', '<b>\u202e'];

  test('is drawn below the timeline, with numbers against what was asked for', () => {
    const page = taskPage(reportOf(taskOf(), { resources_seen: seenBy(names, LAUNCHED) }));
    const text = textOf(page);
    expect(text).toContain(
      'Resources used 2014-05-13 16:53:20 UTC to 2014-05-13 17:53:20 UTC , 1h, 50 samples',
    );
    expect(text).toContain('2.00 cores of 1.00 core !200%');
    expect(text).toContain('60MiB of 64MiB 94%');
    expect(text).toContain('<b>\\u{202e}');
    expect(text.indexOf('Resources used')).toBeGreaterThan(text.indexOf('Timeline 2014'));
    const drawn = page.match(/<path class="used" d="[^"]*"/g) ?? [];
    expect(drawn).toHaveLength(3 + names.length);
    // The gap is in each of them.
    for (const path of drawn) expect(path.match(/M/g)).toHaveLength(2);
  });

  test('is not on a page without a record', () => {
    expect(taskPage(reportOf(taskOf()))).not.toContain('id="usage"');
  });

  test('of many processes with long names does not make the page too large', () => {
    const many = Array.from({ length: 100 }, (_, i) => `${i} ${'<'.repeat(4000)}`);
    const page = taskPage(reportOf(taskOf(), { resources_seen: seenBy([...many, 'one more'], LAUNCHED) }));
    expect(bytesOf(page)).toBeLessThanOrEqual(2 * MIB);
    expect(textOf(page)).toContain('More processes are left out');
  });
});

/** A task whose processes fail until their last run, with logs of the last runs. */
function many(processes: number, runs: number): TaskReport {
  const names = Array.from({ length: processes }, (_, i) => `shard-${i}`);
  const history = Object.fromEntries(
    names.map((name) => [
      name,
      Array.from({ length: runs }, (_, n) =>
        runOf((9 * n) / runs, 8 / runs, n === runs - 1 ? 'SUCCESS' : 'FAILED'),
      ),
    ]),
  );
  const logs = names.flatMap((process) =>
    (['stdout', 'stderr'] as const).map((stream) => ({
      process,
      run: runs - 1,
      stream,
      path: `/s/${process}/${stream}`,
      bytes: 5000,
    })),
  );
  const task = taskWith(history, {
    logs,
    ordering: names.map((process, i) => ({ process, after: i < 50 ? [] : [`shard-${i - 50}`] })),
  });
  const lines = Array.from({ length: 40 }, (_, i) => `\u001b[3${i % 8}mline ${i}\u001b[0m of a log`);
  return reportOf(task, { excerpts: logs.map((log) => ({ ...log, first: lines, last: [] })) });
}
