import pino from "pino";
import type { Log, LogFields } from "../ports/log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface NodeLogOptions {
  readonly level: LogLevel;
  /** A file descriptor, 2 for the standard error, or the path of a file that is appended to. */
  readonly to: number | string;
}

/** One line of JSON for each message, written at once, so that the last words before a crash are there. */
export class NodeLog implements Log {
  readonly #logger: pino.Logger;
  readonly #failures = { count: 0 };

  constructor(options: NodeLogOptions) {
    const destination = pino.destination({ dest: options.to, sync: true, mode: 0o600 });
    // Nobody reads on (`| head`), or the disk is full: what is logged is lost, the program goes on.
    destination.on("error", () => (this.#failures.count += 1));
    const quiet = { level: options.level, base: { pid: process.pid } };
    this.#logger = pino({ ...quiet, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  }

  /** Lines that could not be written. */
  get lostCount(): number {
    return this.#failures.count;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#logger.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#logger.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#logger.warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#logger.error(fields, message);
  }
}
