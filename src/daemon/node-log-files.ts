import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { systemCode } from "../base/system-code.ts";
import { diskTrouble } from "../commands/command-error.ts";
import type { Config } from "../config/config.ts";
import { NodeLog } from "../platform/node-log.ts";
import { RotatingFile } from "../platform/rotating-file.ts";
import type { Log } from "../ports/log.ts";

/**
 * Lines of JSON in a file that is turned over; what ends the program by a fault of ours is its last line (CLI-10).
 *
 * @throws {CommandError} When the file cannot be opened.
 */
export function openFileLog({ log: { level } }: Config, path: string): Log {
  const log = new NodeLog({ level, to: openFile(path) });
  process.on("uncaughtExceptionMonitor", (error) => {
    log.error("the program ends by a fault of its own", { error: error.stack ?? String(error) });
  });
  return log;
}

function openFile(path: string): RotatingFile {
  try {
    return new RotatingFile(path);
  } catch (error) {
    throw diskTrouble(error, `write ${path}`, path);
  }
}

/** @returns The last lines of a log, the older file included when one is not enough; empty when there is no log. */
export function lastLines(path: string, count: number): string[] {
  const newest = linesOf(path);
  const lines = newest.length < count ? [...linesOf(`${path}.1`), ...newest] : newest;
  return lines.slice(Math.max(0, lines.length - count));
}

function linesOf(path: string): string[] {
  try {
    return wholeLines(readFileSync(path, "utf8"));
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}

function wholeLines(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

/** Reads what is added to a log, also when the file is turned over. */
export class LogTail {
  readonly #path: string;
  #inode = 0;
  #offset = 0;
  #rest = "";

  /** From the end of the file as it is now. */
  constructor(path: string) {
    this.#path = path;
    this.#read(({ ino, size }) => {
      this.#inode = ino;
      this.#offset = size;
    });
  }

  /** @returns The lines since the last call. */
  next(): string[] {
    let text = this.#rest;
    this.#read(({ ino, size }, file) => {
      if (ino !== this.#inode) {
        this.#inode = ino;
        this.#offset = 0;
      }
      const bytes = Buffer.alloc(Math.max(0, size - this.#offset));
      this.#offset += readSync(file, bytes, 0, bytes.length, this.#offset);
      text += bytes.toString();
    });
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.slice(end);
    return wholeLines(text.slice(0, end));
  }

  #read(use: (facts: { ino: number; size: number }, file: number) => void): void {
    let file: number;
    try {
      file = openSync(this.#path, "r");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return;
      throw error;
    }
    try {
      use(fstatSync(file), file);
    } finally {
      closeSync(file);
    }
  }
}
