import { lstatSync, type Stats, statSync } from "node:fs";
import type { ContentIo } from "./content-io.ts";
import type { SweepControl } from "./disk-job.ts";
import { DiskRefusal, onDisk, refusal } from "./disk-refusal.ts";
import { NODE_BYTES, SHA1_BYTES } from "./piece-digest.ts";
import { isIntact, type PieceJobs } from "./piece-jobs.ts";

/** A worker takes this much of a sweep at once; between two parts it does its other jobs. */
const BATCH_BYTES = 4 * 1024 * 1024;
const PROGRESS_MS = 50;

/**
 * Checks the pieces whose bits are set, together with the other workers, until none is left.
 *
 * @param report - Gets two numbers a piece: its index, and 1 when it is intact.
 */
export function* checkPieces(
  io: ContentIo,
  jobs: PieceJobs,
  task: { readonly control: SweepControl; readonly pieces: Uint8Array },
  report: (judged: Uint32Array) => void,
): Generator<void> {
  const { v1, v2 } = io.table.shared;
  const want = { v1: v1 !== undefined, v2: v2 !== undefined, how: "lenient" } as const;
  for (const batch of batches(io, task.control)) {
    const judged: number[] = [];
    for (const range of markedRanges(task.pieces, batch)) {
      jobs.digestRange(io, range, want, (piece, found) => {
        judged.push(piece, found && isIntact(io, piece, found) ? 1 : 0);
      });
    }
    if (judged.length > 0) report(Uint32Array.from(judged));
    yield;
  }
}

/**
 * Hashes all pieces into the tables given, together with the other workers.
 *
 * @param report - Gets the bytes read since its last call.
 * @throws {DiskRefusal} `changed` when a file changed before or during the sweep (MET-24).
 */
export function* measurePieces(
  io: ContentIo,
  jobs: PieceJobs,
  task: {
    readonly control: SweepControl;
    readonly v1: Uint8Array | undefined;
    readonly v2: Uint8Array | undefined;
  },
  report: (bytes: number) => void,
): Generator<void> {
  const { v1, v2 } = task;
  const { pieceLength } = io.table.shared;
  const want = { v1: v1 !== undefined, v2: v2 !== undefined, how: "strict" } as const;
  const watch = new ChangeWatch(io);
  let unreported = 0;
  let reportedMs = performance.now();
  for (const batch of batches(io, task.control)) {
    for (const span of io.table.spans(
      batch.first * pieceLength,
      (batch.end - batch.first) * pieceLength,
    )) {
      if (io.table.isPad(span.file)) continue;
      watch.begin(span.file);
      unreported += span.length;
    }
    try {
      jobs.digestRange(io, batch, want, (piece, found) => {
        if (found?.v1) v1?.set(found.v1, piece * SHA1_BYTES);
        if (found?.v2) v2?.set(found.v2, piece * NODE_BYTES);
      });
    } catch (error) {
      if (!(error instanceof DiskRefusal) || error.failure.code !== "EOF") throw error;
      throw refusal("changed", error.failure.path);
    }
    if (performance.now() - reportedMs > PROGRESS_MS) {
      report(unreported);
      unreported = 0;
      reportedMs = performance.now();
    }
    yield;
  }
  for (let file = 0; file < io.table.shared.fileCount; file += 1) {
    if (io.table.shared.lengths[file] === 0 && !io.table.isLink(file)) watch.begin(file);
  }
  watch.end();
  report(unreported);
}

/** Records the stamps of files when their reading starts, and checks them at the end. */
class ChangeWatch {
  readonly #io: ContentIo;
  readonly #before = new Map<number, Pick<Stats, "size" | "mtimeMs" | "ino">>();

  constructor(io: ContentIo) {
    this.#io = io;
  }

  begin(file: number): void {
    if (this.#before.has(file) || this.#io.table.isPad(file)) return;
    const { size, mtimeMs, ino } = this.#look(file);
    if (size !== this.#io.table.shared.lengths[file])
      throw refusal("changed", this.#io.files.path(file));
    this.#before.set(file, { size, mtimeMs, ino });
  }

  end(): void {
    for (const [file, before] of this.#before) {
      const after = this.#look(file);
      const same =
        after.size === before.size && after.mtimeMs === before.mtimeMs && after.ino === before.ino;
      if (!same) throw refusal("changed", this.#io.files.path(file));
    }
  }

  #look(file: number): Stats {
    const path = this.#io.files.path(file);
    const stat = this.#io.table.shared.throughLinks ? statSync : lstatSync;
    return onDisk(path, () => stat(this.#io.files.entry(path, false)));
  }
}

interface PieceRange {
  readonly first: number;
  /** One past the last. */
  readonly end: number;
}

/**
 * Hands out parts of the content until this and the other workers have taken all, or the sweep
 * stops.
 */
function* batches(io: ContentIo, control: SweepControl): Generator<PieceRange> {
  const { pieceLength, pieceCount } = io.table.shared;
  const pieces = Math.max(1, Math.floor(BATCH_BYTES / pieceLength));
  for (;;) {
    if (Atomics.load(control.cursor, 1) !== 0) return;
    const first = Atomics.add(control.cursor, 0, 1) * pieces;
    if (first >= pieceCount) return;
    yield { first, end: Math.min(first + pieces, pieceCount) };
  }
}

/** The runs of a batch's pieces whose bits are set. */
function* markedRanges(bits: Uint8Array, batch: PieceRange): Generator<PieceRange> {
  const marked = (piece: number): boolean => (bits[piece >>> 3]! & (0x80 >>> (piece & 7))) !== 0;
  for (let piece = batch.first; piece < batch.end; piece += 1) {
    if (!marked(piece)) continue;
    const first = piece;
    while (piece < batch.end && marked(piece)) piece += 1;
    yield { first, end: piece };
  }
}
