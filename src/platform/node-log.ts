import pino from "pino";
import { systemCode } from "../base/system-code.ts";
import { escapeInJson } from "../base/steering-text.ts";
import type { Log, LogFields } from "../ports/log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface NodeLogOptions {
  readonly level: LogLevel;
  /** A file descriptor (2 is standard error), the path of a file to append to, or what takes whole lines. */
  readonly to: number | string | { write(line: string): void };
}

/**
 * Writes each message as one line of JSON, synchronously, so that the last lines before a crash are
 * not lost.
 */
export class NodeLog implements Log {
  readonly #logger: pino.Logger;
  readonly #failures = { count: 0 };

  constructor(options: NodeLogOptions) {
    const write = this.#writer(options.to);
    // Lines contain text from strangers, and people read logs on terminals: JSON alone leaves C1
    // controls as they are.
    const destination = {
      write: (line: string): void => write(`${escapeInJson(line.trimEnd())}\n`),
    };
    const quiet = { level: options.level, base: { pid: process.pid } };
    this.#logger = pino({ ...quiet, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  }

  /** The reader has gone (`| head`), or the disk is full: a line is dropped, and the program keeps running. */
  #writer(to: NodeLogOptions["to"]): (line: string) => void {
    if (typeof to === "object") {
      return (line) => {
        try {
          to.write(line);
        } catch (error) {
          if (systemCode(error) === undefined) throw error;
          this.#failures.count += 1;
        }
      };
    }
    const file = pino.destination({ dest: to, sync: true, mode: 0o600 });
    file.on("error", () => (this.#failures.count += 1));
    return (line) => void file.write(line);
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
