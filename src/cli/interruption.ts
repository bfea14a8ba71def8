import { EXIT } from '../errors/exit-codes.js';

/** Waits that SIGINT and SIGTERM end. The signals do what they always do until they are asked for. */
export class Interruption {
  #exitCode: number | undefined;
  #wake = () => {};
  #tell: (exitCode: number) => void = () => {};
  /** Resolves when a signal comes, to the exit code for it. */
  readonly signalled = new Promise<number>((resolve) => {
    this.#tell = resolve;
  });
  readonly #onInterrupt = () => this.#signal(EXIT.interrupted);
  readonly #onTerminate = () => this.#signal(EXIT.terminated);

  listen(): void {
    process.on('SIGINT', this.#onInterrupt);
    process.on('SIGTERM', this.#onTerminate);
  }

  /** Resolves when the promise does, to undefined; or when a signal comes, to the exit code for it. */
  async wait(promise: Promise<void>): Promise<number | undefined> {
    const signalled = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#exitCode === undefined) await Promise.race([promise, signalled]);
    return this.#exitCode;
  }

  close(): void {
    process.off('SIGINT', this.#onInterrupt);
    process.off('SIGTERM', this.#onTerminate);
  }

  #signal(exitCode: number): void {
    this.#exitCode = exitCode;
    this.#tell(exitCode);
    this.#wake();
  }
}
