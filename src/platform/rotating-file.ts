import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { systemCode } from "../base/system-code.ts";

/** Of one file. With `KEPT_MAX` older ones, a log takes 40 MiB at most. */
const BYTES_MAX = 8 * 1024 * 1024;
/** Older files: `NAME.1` is the newest of them. */
const KEPT_MAX = 4;

/**
 * A log file that never grows beyond a bound: when it is full it becomes `NAME.1`, `NAME.1` becomes `NAME.2`, and the oldest
 * goes. Lines are written whole, synchronously, so that the last ones before a crash are there.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #bytesMax: number;
  #file: number;
  #bytes: number;

  /** @throws The system's error when the file cannot be opened. */
  constructor(path: string, bytesMax = BYTES_MAX) {
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#file = openLog(path);
    this.#bytes = fstatSync(this.#file).size;
  }

  /** @throws The system's error: the disk is full. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#bytesMax) this.#rotate();
    this.#bytes += writeSync(this.#file, bytes);
  }

  close(): void {
    closeSync(this.#file);
  }

  #rotate(): void {
    for (let age = KEPT_MAX - 1; age >= 0; age -= 1) {
      const from = age === 0 ? this.#path : `${this.#path}.${age}`;
      moveIfThere(from, `${this.#path}.${age + 1}`);
    }
    const file = openLog(this.#path);
    closeSync(this.#file);
    this.#file = file;
    this.#bytes = 0;
  }
}

function openLog(path: string): number {
  return openSync(path, "a", 0o600);
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
