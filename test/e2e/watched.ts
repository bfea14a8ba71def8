import type { ChildProcess } from 'node:child_process';

/** A program whose output is gathered, and can be waited for. */
export class Watched {
  stdout = '';
  stderr = '';
  readonly ended: Promise<{ status: number | null; signal: string | null }>;

  /** `children`: ends it with the test. */
  constructor(
    readonly child: ChildProcess,
    children: ChildProcess[],
  ) {
    children.push(child);
    child.stdout?.setEncoding('utf8').on('data', (data: string) => {
      this.stdout += data;
    });
    child.stderr?.setEncoding('utf8').on('data', (data: string) => {
      this.stderr += data;
    });
    this.ended = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal })));
  }

  async until(condition: (watched: Watched) => boolean): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!condition(this)) {
      if (Date.now() > deadline)
        throw new Error(`it never came: ${JSON.stringify(this.stdout).slice(-300)} ${this.stderr}`);
      if (this.child.exitCode !== null) throw new Error(`it ended: ${this.stdout}${this.stderr}`);
      await new Promise((done) => setTimeout(done, 5));
    }
  }
}
