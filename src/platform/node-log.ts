import pino from "pino";
import { escapeInJson } from "../base/steering-text.ts";
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
    const file = pino.destination({ dest: options.to, sync: true, mode: 0o600 });
    // Nobody reads on (`| head`), or the disk is full: what is logged is lost, the program goes on.
    file.on("error", () => (this.#failures.count += 1));
    // What strangers say is in it, and people look at logs on terminals: JSON alone leaves C1 controls as they are.
    const destination = {
      write: (line: string): void => void file.write(`${escapeInJson(line.trimEnd())}\n`),
    };
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
