import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineOutput, type LineSource } from '../../src/logs/line-output.js';

const web: LineSource = { task_id: 'task-1', process: 'web', run: 0, stream: 'stdout' };
const db: LineSource = { ...web, process: 'db', run: 3, stream: 'stderr' };

function collect() {
  let text = '';
  const output = new LineOutput((bytes) => {
    text += typeof bytes === 'string' ? bytes : bytes.toString('latin1');
  });
  return { output, text: () => text };
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('LineOutput', () => {
  it('holds back half a line until its newline comes or its log ends', () => {
    const { output, text } = collect();
    const a = output.channel(web, { mode: 'prefix', prefix: () => 'a| ' });
    const b = output.channel(db, { mode: 'prefix', prefix: () => 'b| ' });
    a.push(latin1('one\nhal'));
    b.push(latin1('two\n'));
    a.push(latin1('f\nrest'));
    expect(text()).toBe('a| one\nb| two\na| half\n');
    a.end();
    b.end();
    expect(text()).toBe('a| one\nb| two\na| half\na| rest\n');
  });

  it('passes any bytes of lines through, in whatever pieces they come', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    const pieces = fc.array(fc.tuple(fc.boolean(), bytes), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.constantFrom('$& | ', 'ü$1 ', ''), (pushed, prefix) => {
        const { output, text } = collect();
        const channels = [
          output.channel(web, { mode: 'prefix', prefix: () => `A${prefix}` }),
          output.channel(db, { mode: 'prefix', prefix: () => `B${prefix}` }),
        ];
        for (const [second, piece] of pushed) channels[second ? 1 : 0]?.push(piece);
        for (const channel of channels) channel.end();
        for (const [i, mark] of ['A', 'B'].entries()) {
          const all = pushed
            .filter(([second]) => second === (i === 1))
            .map(([, piece]) => piece.toString('latin1'));
          const lines = all.join('').match(/[^\n]*\n|[^\n]+$/g) ?? [];
          const before = latin1Of(`${mark}${prefix}`);
          const printed = text()
            .split('\n')
            .filter((line) => line.startsWith(before));
          expect(printed).toEqual(lines.map((line) => before + line.replace(/\n$/, '')));
        }
      }),
    );
  });

  it('passes a single log through as it is, half lines at once, and starts the next one on a new line', () => {
    const { output, text } = collect();
    const first = output.channel(web, { mode: 'raw' });
    first.push(latin1('a\xff\0'));
    expect(text()).toBe('a\xff\0');
    first.end();
    expect(text()).toBe('a\xff\0');
    const second = output.channel({ ...web, run: 1 }, { mode: 'raw' });
    second.push(latin1('b\n'));
    second.end();
    output.channel({ ...web, run: 2 }, { mode: 'raw' }).push(latin1('c\n'));
    expect(text()).toBe('a\xff\0\nb\nc\n');
  });

  it('prints one JSON object a line, with U+FFFD for bytes that are not UTF-8, and those in base64', () => {
    let text = '';
    const output = new LineOutput((bytes) => {
      text += bytes.toString();
    });
    const channel = output.channel({ ...db, process: 'd"b\n' }, { mode: 'json' });
    channel.push(
      Buffer.concat([Buffer.from('ü "x"\r\n'), Buffer.of(0xff, 0xe2, 0x82, 10), Buffer.from('\u2028end')]),
    );
    channel.end();
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      [
        { line: 'ü "x"\r' },
        { line: '\ufffd\ufffd', encoding: 'base64', bytes: '/+KC' },
        { line: '\u2028end' },
      ].map((line) => ({ task_id: 'task-1', process: 'd"b\n', run: 3, stream: 'stderr', ...line })),
    );
  });

  it('does not keep an endless line in memory', () => {
    let printed = 0;
    const output = new LineOutput((bytes) => {
      printed += bytes.length;
    });
    const channel = output.channel(web, { mode: 'lines' });
    const block = Buffer.alloc(1024 * 1024, 'x');
    for (let i = 0; i < 20; i++) channel.push(block);
    expect(printed).toBeGreaterThan(8 * 1024 * 1024);
    channel.end();
    expect(printed).toBe(20 * 1024 * 1024 + 3);
  });
});

function latin1Of(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
