import { EXIT, type ExitCode } from "./exit-code.ts";

/**
 * Ctrl-C, SIGTERM, and SIGHUP when a terminal closes: the first asks the command to end cleanly, the second ends the
 * process at once (CLI-6). A program started by `nohup` goes on when its terminal closes.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;
  #exit: ExitCode | undefined;

  /** @param onFirst - Told once, when a person should know that we are ending. */
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

  /** Gives the signals back to their default. */
  close(): void {
    process.off("SIGINT", this.#handleInt);
    process.off("SIGTERM", this.#handleTerm);
    process.off("SIGHUP", this.#handleHangUp);
  }

  readonly #handleInt = (): void => this.#handle(EXIT.interrupted);
  readonly #handleTerm = (): void => this.#handle(EXIT.terminated);
  readonly #handleHangUp = (): void => {
    // Node does not keep what nohup asks for: `bin/everseed` has looked.
    if (process.env["EVERSEED_NOHUP"] !== "1") this.#handleTerm();
  };

  #handle(exit: ExitCode): void {
    if (this.#exit !== undefined) process.exit(exit);
    this.#exit = exit;
    this.#onFirst();
    this.#controller.abort();
  }
}
