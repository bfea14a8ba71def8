import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerReader } from '../../src/agent/answer-reader.js';
import { NotHttp } from '../../src/agent/connection.js';
import { AgentFailure } from '../../src/agent/failure.js';

/** Reads the bytes in pieces, each in memory that is used again. Returns how many bytes belong to the answer. */
function read(reader: AnswerReader, bytes: Buffer, cuts: readonly number[]): number {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const memory = Buffer.alloc(bytes.length + 8, '\r\n');
  let at = 0;
  for (const end of [...ends, bytes.length]) {
    bytes.copy(memory, 4, at, end);
    const used = reader.feed(memory, 4, 4 + end - at) - 4;
    memory.fill('x');
    if (used < end - at) return at + used;
    at = end;
  }
  return at;
}

function chunked(body: Buffer, sizes: readonly number[], trailer: string): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, i = 0; at < body.length; i++) {
    const size = Math.min(sizes[i % sizes.length] ?? 1, body.length - at);
    const extension = i % 2 === 0 ? '' : ';a=b';
    parts.push(Buffer.from(`${size.toString(16)}${extension}\r\n`), body.subarray(at, at + size));
    parts.push(Buffer.from('\r\n'));
    at += size;
  }
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

describe('an answer that is cut anywhere is read as if it came whole', () => {
  test('with its length', () => {
    fc.assert(
      fc.property(bodies, cuts, fc.constantFrom('', 'more'), (body, cuts, after) => {
        const head = `HTTP/1.1 404 Not Found\r\nDate: now\r\nContent-LENGTH:${body.length} \r\nEmpty:\r\n\r\n`;
        const bytes = Buffer.concat([Buffer.from(head), body, Buffer.from(after)]);
        const reader = new AnswerReader(300);
        expect(read(reader, bytes, cuts)).toBe(bytes.length - after.length);
        expect(reader).toMatchObject({ status: 404, isDone: true, keeps: true });
        expect(reader.headers).toMatchObject({ date: 'now', empty: '' });
        expect(reader.body).toEqual(body);
      }),
    );
  });

  test('in chunks, after what comes before an answer', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 5 });
    const trailer = fc.constantFrom('', 'Sum: 1\r\n', `A: ${'a'.repeat(100)}\r\nB: b\r\n`);
    fc.assert(
      fc.property(bodies, sizes, trailer, cuts, (body, sizes, trailer, cuts) => {
        const head = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
        const bytes = Buffer.concat([Buffer.from(head), chunked(body, sizes, trailer), Buffer.from('HTTP')]);
        const reader = new AnswerReader(300);
        expect(read(reader, bytes, cuts)).toBe(bytes.length - 4);
        expect(reader).toMatchObject({ status: 200, isDone: true, keeps: true });
        expect(reader.body).toEqual(body);
      }),
    );
  });

  test('to the end of the connection', () => {
    fc.assert(
      fc.property(bodies, cuts, (body, cuts) => {
        const reader = new AnswerReader(300);
        read(reader, Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), body]), cuts);
        expect(reader.isDone).toBe(false);
        expect(reader.atEnd()).toBe(true);
        expect(reader).toMatchObject({ isDone: true, keeps: false });
        expect(reader.body).toEqual(body);
      }),
    );
  });
});

test('any bytes are an answer, the beginning of one, or a failure that says what is wrong', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'HTTP/1.1 200 OK\r\n',
      'HTTP/1.1 ',
      '\r\n',
      '\r\n\r\n',
      ':',
      'Content-Length: ',
      '5',
      '-1',
    ),
    fc.constantFrom('Transfer-Encoding: chunked\r\n', 'ffffffff\r\n', '0\r\n', '204', ' ', '\n', '\0', 'é'),
    fc.string({ maxLength: 5 }),
  );
  const texts = fc.array(piece, { maxLength: 20 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, cuts, (text, cuts) => {
      const bytes = Buffer.from(text, 'latin1');
      const outcome = (cuts: readonly number[]) => {
        const reader = new AnswerReader(100);
        try {
          const used = read(reader, bytes, cuts);
          return [used, reader.atEnd(), reader.status, reader.isDone && reader.body.toString('latin1')];
        } catch (error) {
          expect(error instanceof NotHttp || error instanceof AgentFailure).toBe(true);
          return 'failed';
        }
      };
      expect(outcome(cuts)).toEqual(outcome([]));
    }),
    { numRuns: 500 },
  );
});

describe('what is not HTTP, or could be understood in two ways', () => {
  const fails = (text: string) => {
    const reader = new AnswerReader(1000);
    expect(
      () => {
        read(reader, Buffer.from(text, 'latin1'), []);
        reader.atEnd();
      },
      text.slice(0, 80),
    ).toThrow(NotHttp);
  };
  test.each([
    'SSH-2.0-OpenSSH_9.2p1\r\n',
    '\x15\x03\x01\0\x02\x02',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1e3\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'a'.repeat(2000)}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'A: b\r\n'.repeat(20_000)}`,
    `HTTP/1.1 200 OK\r\nA: ${'a'.repeat(70_000)}`,
    'HTTP/1.1 102 Processing\r\n\r\n'.repeat(20),
  ])('%j', fails);
});

test('a body that is too long fails before its memory is taken, or as soon as it is known', () => {
  const longs = [
    'HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n',
    `HTTP/1.1 200 OK\r\n\r\n${' '.repeat(1001)}`,
  ];
  for (const text of longs) {
    expect(() => read(new AnswerReader(1000), Buffer.from(text), [])).toThrow('longer than 1000B');
  }
});

test('a body in chunks of a byte each takes as much memory as it is long, not a hundred times as much', () => {
  const count = 1_000_000;
  const bytes = Buffer.from(
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(count)}0\r\n\r\n`,
  );
  const reader = new AnswerReader(count);
  const before = process.memoryUsage().heapUsed;
  reader.feed(bytes, 0, bytes.length);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(70 * count);
  expect(reader.body.equals(Buffer.alloc(count, 'x'))).toBe(true);
});

test('the next call may use the connection only if both sides say so', () => {
  const keeps = (head: string) => {
    const reader = new AnswerReader(10);
    read(reader, Buffer.from(`${head}\r\nContent-Length: 0\r\n\r\n`), []);
    return reader.keeps;
  };
  expect(keeps('HTTP/1.1 200 OK')).toBe(true);
  expect(keeps('HTTP/1.1 200 OK\r\nConnection: Close')).toBe(false);
  expect(keeps('HTTP/1.0 200 OK')).toBe(false);
  expect(keeps('HTTP/1.0 200 OK\r\nConnection: keep-alive')).toBe(true);
});
