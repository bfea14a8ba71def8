import type { Excerpt } from '../../src/logs/excerpt.js';
import type { TaskList } from '../../src/report/list/list.js';
import type { TaskReport } from '../../src/report/model.js';
import { reportOf } from './reports.js';

/** Texts that a page must show and a browser must not act upon. */
export const HOSTILE = [
  '</script><script>alert(1)</script>',
  '<img src=http://127.0.0.1:9/x onerror=alert(2)>',
  '"><svg onload=alert(3)>',
  `' onmouseover='alert(4)' x='`,
  'javascript:alert(5)',
  '<a href="javascript:alert(6)" autofocus onfocus=alert(6)>link</a>',
  '</style><style>@import "http://127.0.0.1:9/y";*{display:none}</style>',
  '</title></textarea></template></noscript><iframe src=http://127.0.0.1:9/z></iframe>',
  '<meta http-equiv=refresh content="0;url=http://127.0.0.1:9/r"><base href=http://127.0.0.1:9/>',
  '<form action=http://127.0.0.1:9/f><button autofocus>x</button></form>',
  '<!--',
  '-->]]><![CDATA[',
  '&lt;b&gt;&#x3c;script&#x3e;alert(7)&#x3c;/script&#x3e;',
  `\${alert(8)}{{alert(8)}}\``,
  'gpj.\u202eexe\u202c \u2066x\u2069 \u200f\u061c\u200b\ufeff',
  'nul \u0000 bell \u0007 back \b\b del \u007f nel \u0085 line \u2028 paragraph \u2029',
  '\u001b[31mred\u001b[0m \u001b]8;;javascript:alert(9)\u0007link\u001b]8;;\u0007 \u001b[2J\u001b[H',
  'half \ud83d character \udc00',
  '\ufffd\ufffd bytes that are not UTF-8',
  '__proto__',
  'constructor',
] as const;

/** What a page may never show: characters that change how others look, or that are not seen. */
export const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

const ANSI_FLOOD = Array.from(
  { length: 20_000 },
  (_, i) => `\u001b[3${i % 8};4${(i + 3) % 8};1;4m${i % 10}`,
).join('');

/** As much of a line as the excerpt of a log may hold. */
const LONG_LINE = `begin ${'x<'.repeat(500_000)} end`;

/** A report every text of which is hostile, some of them very long. */
export function hostileReport(): TaskReport {
  const report = reportOf('failed');
  let next = 0;
  const hostile = (): string => HOSTILE[next++ % HOSTILE.length] as string;
  const names = HOSTILE.map((text, i) => `${i} ${text}`);
  const { task } = report;
  const [process] = task.processes;
  if (process === undefined) throw new Error('the task has no process');
  const excerpt = (name: string, first: string[], last: string[] = []): Excerpt => ({
    process: name,
    run: 0,
    stream: 'stderr',
    path: `/sandbox/${hostile()}`,
    bytes: 5_000_000,
    first,
    last,
    ...(last.length > 0 && { left_out: { bytes: 1_000_000, lines: 12_345 } }),
    problem: hostile(),
  });
  return {
    made_ms: report.made_ms,
    made_by: hostile(),
    failing: { process: names[0] as string, run: 0 },
    links: {
      browse: 'https://master.example/#/agents/"><script>alert(10)</script>/browse?path=%2F',
      downloads: { '/sandbox/x': `https://agent.example/files/download?path='"><script>alert(11)</script>` },
    },
    excerpts: [
      excerpt(names[0] as string, [...HOSTILE], [...HOSTILE]),
      excerpt(names[1] as string, [LONG_LINE], [LONG_LINE]),
      excerpt(names[2] as string, [ANSI_FLOOD], [ANSI_FLOOD]),
      ...names.slice(3).map((name) => excerpt(name, [hostile()])),
    ],
    task: {
      ...task,
      task_id: HOSTILE.join(' '),
      root: hostile(),
      name: hostile(),
      user: hostile(),
      hostname: hostile(),
      owner: hostile(),
      sandbox: hostile(),
      recorded_sandbox: hostile(),
      log_dir: hostile(),
      recorded_log_dir: hostile(),
      ports: Object.fromEntries(HOSTILE.map((text, i) => [text, i])),
      mesos: {
        agent_id: hostile(),
        framework_id: hostile(),
        executor_id: hostile(),
        container_id: hostile(),
      },
      processes: names.map((name) => ({ ...process, process: name, state: 'FAILED', cmdline: hostile() })),
      history: Object.fromEntries(
        names.map((name) => [
          name,
          (task.history[process.process] ?? []).map((run) => ({ ...run, process: name })),
        ]),
      ),
      header: task.header && { ...task.header, sandbox: hostile(), user: hostile(), hostname: hostile() },
      problems: HOSTILE.map((text) => ({
        code: 'checkpoint-damaged',
        severity: 'error',
        message: text,
        hint: hostile(),
        path: hostile(),
      })),
      task: {
        name: hostile(),
        [HOSTILE[0]]: HOSTILE,
        processes: HOSTILE.map((text) => ({ name: text, [text]: text })),
      },
      ordering: names.map((name, i) => ({ process: name, after: i === 0 ? [] : [names[i - 1] as string] })),
      logs: names.map((name) => ({
        process: name,
        run: 0,
        stream: 'stderr',
        path: '/sandbox/x',
        bytes: 5_000_000,
      })),
      reasons: HOSTILE.map((text) => ({ time_ms: 1, code: 'x', message: text, process: text, by: text })),
      why: [...HOSTILE],
    },
  };
}

/** A list of tasks every text of which is hostile. */
export function hostileList(): TaskList {
  return {
    made_ms: 1_795_286_282_688,
    made_by: HOSTILE[0],
    hostname: HOSTILE[1],
    problems: HOSTILE,
    tasks: HOSTILE.map((text) => ({
      task_id: text,
      root: text,
      href: 'task/x/index.html',
      phase: 'finished',
      state: text,
      verdict: text,
      user: text,
      processes: 2,
      succeeded: 1,
      failed: 1,
      failing: text,
    })),
  };
}
