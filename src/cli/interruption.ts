import { constants } from 'node:os';
import { EXIT, exitBySignal } from '../errors/exit-codes.js';
import { onSignal } from '../host/ignored-signals.js';

/** Waits that SIGINT and SIGTERM end. Until `listen`, the signals have their default effect. */
export class Interruption {
  #exitCode: number | undefined;
  #wake = () => {};
  #resolve: (exitCode: number) => void = () => {};
  /** Resolves to the exit code of a signal when it comes. */
  readonly signalled = new Promise<number>((resolve) => {
    this.#resolve = resolve;
  });
  readonly #onInterrupt = () => this.#signal(EXIT.interrupted);
  readonly #onTerminate = () => this.#signal(EXIT.terminated);
  readonly #onQuit = () => this.#signal(exitBySignal(constants.signals.SIGQUIT));

  listen(): void {
    onSignal('SIGINT', this.#onInterrupt);
    onSignal('SIGTERM', this.#onTerminate);
  }

  /** SIGQUIT ends the waits, too: for what must not be left half done. */
  listenToQuit(): void {
    onSignal('SIGQUIT', this.#onQuit);
  }

  /** Resolves to undefined with the promise, or to the exit code of a signal that comes first. */
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
    process.off('SIGQUIT', this.#onQuit);
  }

  #signal(exitCode: number): void {
    this.#exitCode = exitCode;
    this.#resolve(exitCode);
    this.#wake();
  }
}
