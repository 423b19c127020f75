import pino from "pino";
import { escapeInJson } from "../base/steering-text.ts";
import type { Log, LogFields } from "../ports/log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface NodeLogOptions {
  readonly level: LogLevel;
  /** A file descriptor (2 is standard error), or the path of a file to append to. */
  readonly to: number | string;
}

/**
 * Writes each message as one line of JSON, synchronously, so that the last lines before a crash are
 * not lost.
 */
export class NodeLog implements Log {
  readonly #logger: pino.Logger;
  readonly #failures = { count: 0 };

  constructor(options: NodeLogOptions) {
    const file = pino.destination({ dest: options.to, sync: true, mode: 0o600 });
    // The reader has gone (`| head`), or the disk is full: drop the line and keep running.
    file.on("error", () => (this.#failures.count += 1));
    // Lines contain text from strangers, and people read logs on terminals: JSON alone leaves C1
    // controls as they are.
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
