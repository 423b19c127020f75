import { readSync, readvSync, writeSync } from "node:fs";
import { equalBytes } from "../../base/bytes.ts";
import { DiskRefusal, failureCode, onDisk, refusal } from "./disk-refusal.ts";
import { type DescriptorBudget, OpenFiles } from "./open-files.ts";
import { lock, unlock } from "./shared-lock.ts";
import { DIRTY, IN_PART_FILE, LayoutTable, type SharedLayout, type Span } from "./shared-layout.ts";

/** The kernel takes at most this many buffers in one call (IOV_MAX). */
const VECTORS_MAX = 1024;
/**
 * Bytes to write at once. The page cache allocates memory in units of a call's size, and larger
 * units come from idle memory, which a virtual machine may even have returned to its host: they
 * cost up to five times the CPU.
 */
const WRITE_PART_BYTES = 16 * 1024;

/** A range of a file to read or write. */
interface Place {
  readonly file: number;
  readonly position: number;
}

/** Reads and writes runs of the torrent's byte space, through files, part file and padding. */
export class ContentIo {
  readonly table: LayoutTable;
  readonly files: OpenFiles;

  constructor(shared: SharedLayout, budget: DescriptorBudget) {
    this.table = new LayoutTable(shared);
    this.files = new OpenFiles(this.table, budget);
  }

  /**
   * Fills `into` from `start` of the space; padding and gaps read as zeros.
   *
   * @throws {DiskRefusal} `ENOENT` for a missing file, `EOF` for one that ends too early.
   */
  read(start: number, into: Uint8Array): void {
    this.files.beginBurst();
    try {
      this.#read(start, into);
    } finally {
      this.files.endBurst();
    }
  }

  #read(start: number, into: Uint8Array): void {
    let filled = 0;
    for (const span of this.table.spans(start, into.length)) {
      if (span.at > filled) into.fill(0, filled, span.at);
      filled = span.at + span.length;
      const part = into.subarray(span.at, filled);
      if (this.table.isPad(span.file)) part.fill(0);
      else this.#readSpan(span, [part]);
    }
    into.fill(0, filled);
  }

  /** @returns False when the bytes are missing, because a file is absent or too short. */
  isThere(read: () => void): boolean {
    try {
      read();
      return true;
    } catch (error) {
      if (!(error instanceof DiskRefusal)) throw error;
      const { code } = error.failure;
      if (code === "ENOENT" || code === "EOF" || code === "ENOTDIR") return false;
      throw error;
    }
  }

  /**
   * Reads one contiguous run of the space into several places.
   *
   * @param targets - Filled in order; together they hold the run from `start` on.
   */
  readGathered(start: number, targets: readonly Uint8Array[]): void {
    const length = targets.reduce((sum, target) => sum + target.length, 0);
    const cutter = new Cutter(targets);
    this.files.beginBurst();
    try {
      for (const span of this.table.spans(start, length)) {
        const parts = cutter.take(span.length);
        if (!this.table.isPad(span.file)) this.#readSpan(span, parts);
        else for (const part of parts) part.fill(0);
      }
    } finally {
      this.files.endBurst();
    }
  }

  /**
   * Writes bytes at `start` of the space and skips padding. Only one worker writes at a time: the
   * kernel admits one writer to a file, and the others spin while they wait.
   */
  write(start: number, bytes: Uint8Array): void {
    lock(this.table.shared.writing);
    this.files.beginBurst();
    try {
      this.#write(start, bytes);
    } finally {
      this.files.endBurst();
      unlock(this.table.shared.writing);
    }
  }

  #write(start: number, bytes: Uint8Array): void {
    for (const span of this.table.spans(start, bytes.length)) {
      if (this.table.isPad(span.file)) continue;
      const { file, position } = this.#place(span);
      const path = this.files.path(file);
      const part = bytes.subarray(span.at, span.at + span.length);
      const descriptor = this.#openToWrite(file, position, part);
      if (descriptor === undefined) continue;
      try {
        onDisk(path, () => {
          for (let done = 0; done < span.length;) {
            const at = span.at + done;
            const length = Math.min(span.length - done, WRITE_PART_BYTES);
            done += writeSync(descriptor, bytes, at, length, position + done);
          }
        });
      } finally {
        // Mark after the write: a sync that clears the mark during the write may miss its bytes.
        this.table.mark(file, DIRTY);
      }
    }
  }

  /**
   * @returns `undefined` when the file is not ours but already holds the bytes to be written.
   * @throws {DiskRefusal} `EEXIST` when it holds other bytes.
   */
  #openToWrite(file: number, position: number, bytes: Uint8Array): number | undefined {
    try {
      return this.files.open(file, "write");
    } catch (error) {
      if (failureCode(error) !== "EEXIST") throw error;
      const there = new Uint8Array(bytes.length);
      const path = this.files.path(file);
      const descriptor = this.files.open(file, "read");
      const length = onDisk(path, () => readFully(descriptor, [there], position));
      if (length === bytes.length && equalBytes(there, bytes)) return undefined;
      throw error;
    }
  }

  #readSpan(span: Span, parts: readonly Uint8Array[]): void {
    const { file, position } = this.#place(span);
    const path = this.files.path(file);
    const descriptor = this.files.open(file, "read");
    onDisk(path, () => {
      let at = position;
      for (let first = 0; first < parts.length; first += VECTORS_MAX) {
        at += readFully(descriptor, parts.slice(first, first + VECTORS_MAX), at);
      }
      if (at < position + span.length) throw refusal("EOF", path);
    });
  }

  /** The part file stores each byte at its offset in the space: it is sparse and needs no table. */
  #place(span: Span): Place {
    if (!this.table.has(span.file, IN_PART_FILE)) {
      return { file: span.file, position: span.offset };
    }
    const start = this.table.shared.offsets[span.file]!;
    return { file: this.table.partIndex, position: start + span.offset };
  }
}

/** @returns Bytes read; fewer than requested at the end of the file. */
function readFully(descriptor: number, parts: readonly Uint8Array[], position: number): number {
  let done = 0;
  if (parts.length > 1) {
    const wanted = parts.reduce((sum, part) => sum + part.length, 0);
    done = readvSync(descriptor, parts, position);
    if (done === wanted) return done;
  }
  // The kernel may stop early; read the rest buffer by buffer.
  let partEnd = 0;
  for (const part of parts) {
    const partStart = partEnd;
    partEnd += part.length;
    while (done < partEnd) {
      const at = done - partStart;
      const count = readSync(descriptor, part, at, part.length - at, position + done);
      if (count === 0) return done;
      done += count;
    }
  }
  return done;
}

/** Consumes lengths from a row of buffers. */
class Cutter {
  readonly #targets: readonly Uint8Array[];
  #index = 0;
  #offset = 0;

  constructor(targets: readonly Uint8Array[]) {
    this.#targets = targets;
  }

  take(length: number): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0;) {
      const target = this.#targets[this.#index]!;
      const count = Math.min(left, target.length - this.#offset);
      parts.push(target.subarray(this.#offset, this.#offset + count));
      left -= count;
      this.#offset += count;
      if (this.#offset < target.length) continue;
      this.#index += 1;
      this.#offset = 0;
    }
    return parts;
  }
}
