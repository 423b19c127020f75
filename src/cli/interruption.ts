import { EXIT, type ExitCode } from "./exit-code.ts";

/**
 * Ctrl-C, SIGTERM, and SIGHUP when a terminal closes: the first asks the command to end cleanly, the second ends the
 * process at once (CLI-6). A program started by `nohup` keeps running when its terminal closes.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;
  #exit: ExitCode | undefined;

  /** @param onFirst - Called once, when the person should be told that the program is ending. */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    process.on("SIGINT", this.#handleInt);
    process.on("SIGTERM", this.#handleTerm);
    process.on("SIGHUP", this.#handleHangUp);
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 130 or 143 after a signal; `undefined` before. */
  get exit(): ExitCode | undefined {
    return this.#exit;
  }

  /** Restores the default handling of signals. */
  close(): void {
    process.off("SIGINT", this.#handleInt);
    process.off("SIGTERM", this.#handleTerm);
    process.off("SIGHUP", this.#handleHangUp);
  }

  readonly #handleInt = (): void => this.#handle(EXIT.interrupted);
  readonly #handleTerm = (): void => this.#handle(EXIT.terminated);
  readonly #handleHangUp = (): void => {
    // Node does not keep the signal disposition set by nohup, so `bin/everseed` checks it.
    if (process.env["EVERSEED_NOHUP"] !== "1") this.#handleTerm();
  };

  #handle(exit: ExitCode): void {
    if (this.#exit !== undefined) process.exit(exit);
    this.#exit = exit;
    this.#onFirst();
    this.#controller.abort();
  }
}
