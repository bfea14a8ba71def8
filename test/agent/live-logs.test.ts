import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AgentPort } from '../../src/agent/gatherer.js';
import { LiveLogs } from '../../src/agent/live-logs.js';
import { LogCursor } from '../../src/logs/log-cursor.js';

const DIRECTORY = '/sandbox';
const LOG = 'stdout';

/** The directory of a log on an agent, whose writer does something right before a call that the agent answers. */
class WrittenDirectory {
  readonly files = new Map<string, { text: string; mtimeMs: number }>([[LOG, { text: '', mtimeMs: 0 }]]);
  #lines = 0;
  #time = 0;
  #planned: { calls: number; write: () => void } | undefined;

  readonly port = {
    base: 'http://agent',
    list: async () => {
      this.#answer();
      const entries = [...this.files].map(([name, { text, mtimeMs }]) => ({
        name,
        kind: 'file' as const,
        mode: '-rw-r--r--',
        size: text.length,
        mtimeMs,
        owner: 'root',
      }));
      return { entries, complete: true };
    },
    read: async (path: string, offset: number, length: number) => {
      this.#answer();
      const { text = '' } = this.files.get(path.slice(DIRECTORY.length + 1)) ?? {};
      return Buffer.from(text.slice(offset, offset + length));
    },
  } as Partial<AgentPort> as AgentPort;

  get lines(): string[] {
    return Array.from({ length: this.#lines }, (_, line) => `line ${line}`);
  }

  /** Before so many calls, or by `writeNow`. */
  plan(calls: number, write: () => void): void {
    this.#planned = { calls, write };
  }

  writeNow(): void {
    this.#planned?.write();
    this.#planned = undefined;
  }

  append(count: number, name = LOG): void {
    const { text } = this.files.get(name) ?? { text: '' };
    const added = Array.from({ length: count }, () => `line ${this.#lines++}\n`).join('');
    this.#time += 1000;
    this.files.set(name, { text: text + added, mtimeMs: this.#time });
  }

  /** By a process that has not noticed the rotation, while nothing is in the new file. */
  appendLate(count: number): void {
    if (count > 0 && this.files.has(`${LOG}.1`) && this.files.get(LOG)?.text === '')
      this.append(count, `${LOG}.1`);
  }

  rotate(): void {
    for (let number = this.files.size; number >= 1; number--) {
      const name = number === 1 ? LOG : `${LOG}.${number - 1}`;
      const file = this.files.get(name);
      if (file !== undefined) this.files.set(`${LOG}.${number}`, file);
      this.files.delete(name);
    }
    this.append(0);
  }

  #answer(): void {
    if (this.#planned === undefined) return;
    if (this.#planned.calls === 0) this.writeNow();
    else this.#planned.calls -= 1;
  }
}

const byNumber = (one: string, other: string) => Number(one.slice(5)) - Number(other.slice(5));

const step = fc.record({
  calls: fc.nat(12),
  before: fc.nat(30),
  late: fc.nat(2),
  rotates: fc.boolean(),
  after: fc.nat(5),
});

test('each line of a log of an agent comes once, at whichever call it is rotated', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const directory = new WrittenDirectory();
      directory.append(1);
      let now = 0;
      const logs = new LiveLogs(directory.port, DIRECTORY, {
        now: () => now,
        pause: async () => {},
        isClosed: () => false,
        waiting: () => {},
      });
      let shown = '';
      const sink = (bytes: Buffer) => {
        shown += bytes.toString();
      };
      const notices: string[] = [];
      const cursor = new LogCursor(`${DIRECTORY}/${LOG}`, logs, ({ kind }) => notices.push(kind));
      await cursor.start({ lines: undefined, follow: true }, sink);
      for (const { calls, late, before, rotates, after } of steps) {
        directory.plan(calls, () => {
          directory.appendLate(late);
          directory.append(before);
          if (rotates) directory.rotate();
          directory.append(after);
        });
        // Listings stay fresh while a look lasts, as on a fast machine.
        now += 1000;
        while (!(await cursor.advance(sink)));
        directory.writeNow();
        // A file that was renamed and written is found by the first look, and read by the second.
        for (let look = 0; look < 2; look++) {
          now += 1000;
          while (!(await cursor.advance(sink)));
        }
      }
      cursor.close();
      // What was written late may come after what was written to the new file.
      const lines = shown.split('\n').slice(0, -1);
      expect([lines.sort(byNumber), notices]).toEqual([directory.lines, []]);
    }),
    { numRuns: 200 },
  );
});
