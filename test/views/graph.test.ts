import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GraphFormat, graphOfConfig, graphOfTask, type TaskGraph } from '../../src/task/graph.js';
import { visible } from '../../src/text/escape.js';
import { graphText } from '../../src/views/graph.js';
import { CONTROL, config, NASTY, PIPE, processView, ran, taskView } from './task-views.js';

const CONFIG = config({
  name: 'etl',
  processes: [
    { name: 'fetch' },
    { name: 'load_all' },
    { name: 'audit', ephemeral: true, daemon: true },
    { name: 'clean', final: true },
  ],
  constraints: [
    { order: ['fetch', 'load_all', 'audit'] },
    { order: ['fetch', 'load_all'] },
    { order: ['gone', 'audit'] },
  ],
});

const TASK = taskView({
  task_id: 'etl-1',
  config: CONFIG,
  processes: [
    ran('fetch'),
    ran('load_all', { state: 'FAILED' }),
    processView('audit'),
    processView('clean', { state: 'RUNNING' }),
    ran('unlisted', { state: 'LOST' }),
  ],
});

const draw = (graph: TaskGraph, format: GraphFormat) => graphText(graph, format, PIPE);

/** The graph that a text in dot describes, by the grammar of https://graphviz.org/doc/info/lang.html. */
function readDot(text: string): { labels: string[]; edges: [number, number][] } {
  const words = text.match(/"(?:\\.|[^"\\])*"|->|[A-Za-z_][A-Za-z_0-9]*|[{}[\]=]|\s+|[\s\S]/g) ?? [];
  const tokens = words.filter((word) => word.trim() !== '');
  const labels: string[] = [];
  const edges: [number, number][] = [];
  const next = (expected?: string | RegExp): string => {
    const token = tokens.shift() ?? 'the end';
    if (expected instanceof RegExp) expect(token).toMatch(expected);
    else if (expected !== undefined) expect(token).toBe(expected);
    return token;
  };
  next('digraph');
  next(/^"[\s\S]*"$/);
  next('{');
  while (tokens[0] !== '}') {
    const id = next(/^(node|p\d+)$/);
    if (tokens[0] === '->') {
      next();
      edges.push([Number(id.slice(1)), Number(next(/^p\d+$/).slice(1))]);
      continue;
    }
    next('[');
    while (tokens[0] !== ']') {
      const name = next(/^[a-z]+$/);
      next('=');
      const value = next(/^("[\s\S]*"|box)$/);
      if (name === 'label') labels[Number(id.slice(1))] = dotLabelText(value.slice(1, -1));
    }
    next(']');
  }
  next('}');
  expect(tokens).toEqual([]);
  return { labels, edges };
}

/** What Graphviz draws for a label: escapes first, then character references. */
function dotLabelText(label: string): string {
  return label.replace(/\\(.)/gs, (_, char) => (char === 'n' ? '\n' : char)).replaceAll('&amp;', '&');
}

/** The same of Mermaid's language, line by line. */
function readMermaid(text: string): { labels: string[]; edges: [number, number][] } {
  const [first, ...rest] = text.split('\n').slice(0, -1);
  expect(first).toBe('flowchart TD');
  const labels: string[] = [];
  const edges: [number, number][] = [];
  for (const line of rest) {
    const node = /^ {2}p(\d+)\["([^"]*)"\]$/.exec(line);
    const edge = /^ {2}p(\d+) --> p(\d+)$/.exec(line);
    if (node !== null) labels[Number(node[1])] = mermaidLabelText(node[2] as string);
    else if (edge !== null) edges.push([Number(edge[1]), Number(edge[2])]);
    else expect(line).toMatch(/^ {2}(classDef [a-z]+ [a-z:#0-9,-]+|class (p\d+,?)+ [a-z]+)$/);
  }
  return { labels, edges };
}

function mermaidLabelText(label: string): string {
  return label
    .split('<br/>')
    .map((row) => {
      expect(row.replace(/#\d+;/g, '')).toMatch(/^[\p{L}\p{N}\p{M} _-]*$/u);
      return row.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
    })
    .join('\n');
}

describe('a task on disk', () => {
  test('as text: the tree, with states and what no process has', () => {
    expect(draw(graphOfTask(TASK), 'text')).toBe(
      `fetch SUCCESS
└─ load_all FAILED
clean RUNNING (final)
unlisted LOST
gone (missing)
└─ audit WAITING (daemon, ephemeral) also after load_all
`,
    );
  });

  test('in Mermaid', () => {
    expect(draw(graphOfTask(TASK), 'mermaid')).toBe(
      `flowchart TD
  p0["fetch<br/>SUCCESS"]
  p1["load_all<br/>FAILED"]
  p2["audit<br/>WAITING<br/>#40;daemon#44; ephemeral#41;"]
  p3["clean<br/>RUNNING<br/>#40;final#41;"]
  p4["unlisted<br/>LOST"]
  p5["gone<br/>#40;missing#41;"]
  p0 --> p1
  p1 --> p2
  p5 --> p2
  classDef succeeded fill:#d9f2d9,stroke:#2e7d32,color:#000000
  class p0 succeeded
  classDef failed fill:#fadbd8,stroke:#b03a2e,color:#000000
  class p1,p4 failed
  classDef live fill:#d6eaf8,stroke:#1f618d,color:#000000
  class p3 live
  classDef missing stroke-dasharray:4
  class p5 missing
`,
    );
  });

  test('in dot', () => {
    expect(draw(graphOfTask(TASK), 'dot')).toBe(
      `digraph "etl-1" {
  node [shape=box style="rounded,filled" fillcolor="#ffffff"]
  p0 [label="fetch\\nSUCCESS" fillcolor="#d9f2d9" color="#2e7d32"]
  p1 [label="load_all\\nFAILED" fillcolor="#fadbd8" color="#b03a2e"]
  p2 [label="audit\\nWAITING\\n(daemon, ephemeral)"]
  p3 [label="clean\\nRUNNING\\n(final)" fillcolor="#d6eaf8" color="#1f618d"]
  p4 [label="unlisted\\nLOST" fillcolor="#fadbd8" color="#b03a2e"]
  p5 [label="gone\\n(missing)" style="rounded,dashed"]
  p0 -> p1
  p1 -> p2
  p5 -> p2
}
`,
    );
  });

  test('without a task file: the processes that ran, and nothing between them', () => {
    const graph = graphOfTask({ ...TASK, config: undefined });
    expect(draw(graph, 'text')).toBe(
      'fetch SUCCESS\nload_all FAILED\naudit WAITING\nclean RUNNING\nunlisted LOST\n',
    );
    expect(readDot(draw(graph, 'dot')).edges).toEqual([]);
  });
});

test('a config has no states', () => {
  expect(draw(graphOfConfig(config({ processes: [{ name: 'only' }] })), 'text')).toBe('only\n');
  expect(draw(graphOfConfig(CONFIG), 'mermaid')).toContain('  p0["fetch"]\n  p1["load_all"]\n');
});

test('a cycle is drawn as one', () => {
  const graph = graphOfConfig(
    config({ processes: [{ name: 'a' }, { name: 'b' }], constraints: [{ order: ['a', 'b', 'a', 'a'] }] }),
  );
  expect(draw(graph, 'text')).toBe('a also after a, b\n└─ b\n');
  const edges = [
    [0, 1],
    [1, 0],
    [0, 0],
  ];
  expect(readDot(draw(graph, 'dot')).edges).toEqual(edges);
  expect(readMermaid(draw(graph, 'mermaid')).edges).toEqual(edges);
});

test('1,000 processes in a chain', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `p-${i}`);
  const graph = graphOfConfig(
    config({ processes: names.map((name) => ({ name })), constraints: [{ order: names }] }),
  );
  expect(readDot(draw(graph, 'dot'))).toMatchObject({ labels: names });
  expect(readMermaid(draw(graph, 'mermaid')).edges).toHaveLength(999);
  expect(draw(graph, 'text').split('\n')).toHaveLength(1001);
});

describe('a name never ends the quotes that it is in', () => {
  const HOSTILE = [
    NASTY,
    '"]; click p0 "javascript:alert(1)"',
    'a\\',
    '\\"',
    '\\N \\G \\l',
    '&quot;&#34; &amp;amp;',
    '#quot;#35;',
    '<b>x</b><script>',
    '`# h`',
    '**x** _y_ __proto__',
    '1. list',
    '- item',
    '%%{init: {}}%%',
    'style x:y',
    'classDef a:b',
    'end',
    ' led and trailed  ',
    '::: x',
    '-->',
    '$$x$$',
    'fa:fa-car',
    'héllo-wörld 漢字 👍',
    'https://example.com www.example.com a@example.com',
  ];

  const nameOf = fc.oneof(
    fc.constantFrom(...HOSTILE),
    fc.string({ unit: fc.constantFrom(...'ab1_- "\\#;&<>`*%[]{}()|:/\n\t') }),
    fc.string({ unit: 'binary' }),
  );

  test('in both languages, the labels are the names as they are shown elsewhere', () => {
    fc.assert(
      fc.property(fc.uniqueArray(nameOf), nameOf, (names, name) => {
        const graph = graphOfConfig(
          config({ name, processes: names.map((each) => ({ name: each })), constraints: [{ order: names }] }),
        );
        const edges = names.slice(1).map((_, i) => [i, i + 1]);
        const labels = names.map(visible);
        for (const [format, read] of [
          ['dot', readDot],
          ['mermaid', readMermaid],
        ] as const) {
          const text = draw(graph, format);
          expect(text).not.toMatch(CONTROL);
          expect(read(text)).toEqual({ labels, edges });
        }
        expect(draw(graph, 'text').split('\n')).toHaveLength(names.length + 1);
      }),
      { examples: [[HOSTILE, NASTY]] },
    );
  });
});
