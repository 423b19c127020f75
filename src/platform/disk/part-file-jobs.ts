import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { temporaryPath } from "../temporary-name.ts";
import type { ContentIo } from "./content-io.ts";
import { failureCode, onDisk } from "./disk-refusal.ts";
import { moveToFree } from "./free-name.ts";
import { inTurns, nextTurn, onDiskInTurns } from "./in-turns.ts";
import { CREATED, DIRTY, IN_PART_FILE, SEEN } from "./shared-layout.ts";

/** Bytes copied in one turn of the worker. */
const COPY_BYTES = 1024 * 1024;
const fdatasyncLater = promisify(fdatasync);
const ZEROS = Buffer.alloc(COPY_BYTES);

/**
 * Decides for each file where its bytes live. An absent unwanted file keeps its share of common
 * pieces in the part file; an existing or wanted file holds its own bytes. A file that becomes
 * wanted takes its bytes out of the part file in one step.
 */
export async function setWanted(io: ContentIo, wanted: Uint8Array): Promise<void> {
  const { table } = io;
  const { lengths, readOnly, partFile } = table.shared;
  const partFileThere = io.files.lookAt(table.partIndex) !== undefined;
  let partFileNeeded = false;
  const place = (file: number): Promise<void> | undefined => {
    if (table.isPad(file) || lengths[file] === 0) return undefined;
    const inPartFile = table.has(file, IN_PART_FILE);
    if (wanted[file] === 1) {
      // After a restart the part file may hold bytes of a file that was unwanted before.
      const mayBe = inPartFile || (partFileThere && !io.files.lookAt(file));
      if (mayBe && !readOnly) return leavePartFile(io, file);
      if (inPartFile) partFileNeeded = true;
    } else if (inPartFile || !io.files.lookAt(file)) {
      table.mark(file, IN_PART_FILE);
      partFileNeeded = true;
    }
    return undefined;
  };
  await inTurns(lengths.keys(), place, io.files);
  if (partFileNeeded || !partFileThere || readOnly) return;
  io.files.close(table.partIndex);
  table.unmark(table.partIndex, DIRTY | CREATED | SEEN);
  onDisk(partFile, () => unlinkSync(io.files.entry(partFile, false)));
}

/** Copies a file's bytes from the part file to the file. Creates nothing when there are none. */
export async function leavePartFile(io: ContentIo, file: number): Promise<void> {
  const { table } = io;
  const { partFile } = table.shared;
  await onDiskInTurns(partFile, async () => {
    let source: number;
    try {
      const entry = io.files.entry(partFile, false);
      source = openSync(entry, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if (failureCode(error) === "ENOENT") return;
      throw error;
    }
    try {
      await copyOut(io, file, source);
    } finally {
      closeSync(source);
    }
  });
  table.unmark(file, IN_PART_FILE);
}

async function copyOut(io: ContentIo, file: number, source: number): Promise<void> {
  const { table } = io;
  const start = table.shared.offsets[file]!;
  const length = table.shared.lengths[file]!;
  const path = io.files.path(file);
  const target = new ImportTarget(io, file);
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  try {
    for (const [from, to] of sharedRanges(start, length, table.shared.pieceLength)) {
      for (let at = from; at < to;) {
        const count = readSync(source, buffer, 0, Math.min(COPY_BYTES, to - at), start + at);
        if (count === 0) break;
        // Unwritten ranges read as zeros, which a new file has anyway.
        if (buffer.compare(ZEROS, 0, count, 0, count) !== 0) target.write(buffer, count, at);
        at += count;
        await nextTurn();
      }
    }
    await target.finish();
  } catch (error) {
    target.abandon();
    return onDisk(path, () => {
      throw error;
    });
  }
}

/**
 * The parts of a file in pieces that it shares with its neighbours: only those can be in the part
 * file.
 */
function sharedRanges(start: number, length: number, pieceLength: number): [number, number][] {
  const firstEnd = (Math.floor(start / pieceLength) + 1) * pieceLength - start;
  const lastStart = Math.floor((start + length - 1) / pieceLength) * pieceLength - start;
  if (firstEnd >= length || lastStart < firstEnd) return [[0, length]];
  return [
    [0, firstEnd],
    [lastStart, length],
  ];
}

/** A file created beside its place, which it takes when it is complete and durable. */
class ImportTarget {
  readonly #io: ContentIo;
  readonly #file: number;
  readonly #path: string;
  readonly #temporary: string;
  #descriptor: number | undefined;
  #inPlace = false;

  constructor(io: ContentIo, file: number) {
    this.#io = io;
    this.#file = file;
    this.#path = io.files.path(file);
    this.#temporary = temporaryPath(this.#path, `part-${file}`);
  }

  write(bytes: Uint8Array, length: number, position: number): void {
    const descriptor = (this.#descriptor ??= this.#begin());
    for (let done = 0; done < length;) {
      done += writeSync(descriptor, bytes, done, length - done, position + done);
    }
  }

  async finish(): Promise<void> {
    if (this.#descriptor === undefined) return;
    const { table } = this.#io;
    if (!this.#inPlace) {
      const length: number = table.shared.lengths[this.#file]!;
      ftruncateSync(this.#descriptor, length);
      await fdatasyncLater(this.#descriptor);
      const { ino } = fstatSync(this.#descriptor);
      closeSync(this.#descriptor);
      const entry = this.#io.files.entry(this.#path, false);
      moveToFree(this.#beside(entry), entry);
      table.own(this.#file, ino);
    }
    table.mark(this.#file, DIRTY | CREATED);
  }

  abandon(): void {
    if (this.#descriptor === undefined || this.#inPlace) return;
    closeSync(this.#descriptor);
    unlinkSync(this.#beside(this.#io.files.entry(this.#path, false)));
  }

  #begin(): number {
    if (this.#io.files.lookAt(this.#file)) {
      // Somebody created a file there meanwhile: treat it like any other existing file.
      this.#inPlace = true;
      return this.#io.files.open(this.#file, "write");
    }
    const { O_RDWR, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const mode = this.#io.table.isExecutable(this.#file) ? 0o777 : 0o666;
    const entry = this.#io.files.entry(this.#path, true);
    return openSync(this.#beside(entry), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  }

  /**
   * @param entry - The way to the file. @returns The way to its temporary file, in the same folder.
   */
  #beside(entry: string): string {
    return join(dirname(entry), basename(this.#temporary));
  }
}
