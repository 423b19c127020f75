import type { Bitfield } from "../../base/bitfield.ts";
import type { Geometry } from "../../base/geometry.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ByteStore, DiskFailure, ReadRun, Slab, SlabPool } from "../../ports/content.ts";
import { EngineError } from "../engine-error.ts";
import type { MemoryShare } from "../sharing/memory-share.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { UrgentRequests } from "./urgent-requests.ts";
import type { PieceRange } from "./wanted-pieces.ts";

/** Readers of one torrent at a time; more are refused. Each costs a check whenever a piece arrives. */
export const READERS_MAX = 64;
/** The most that a reader gets at once. It holds no more memory than that, and only while the disk reads. */
export const PART_BYTES_MAX = 256 * 1024;
/** Pieces that a reader needs within this time are fetched before others; later ones by their rarity. */
const READ_AHEAD_MS = 30_000;
/** And at most this many pieces ahead of a reader, or this many bytes. */
const AHEAD_PIECES_MAX = 64;
const AHEAD_BYTES_MAX = 64 * 1024 * 1024;
/** For a reader that takes whatever arrives, while nothing arrives yet. */
const BYTES_PER_SECOND_MIN = 64 * 1024;
/** Attempts for a part that the disk refuses, one per tick, before the reader is told. */
const DISK_TRIES_MAX = 3;

/** A reader's request, in the torrent's byte space. */
export interface ReadRequest {
  readonly offset: number;
  readonly endOffset: number;
  /** When the first byte is needed, in clock milliseconds. */
  readonly deadlineMs: number;
  /** Its pace from there; `undefined`: as fast as bytes arrive. */
  readonly bytesPerSecond: number | undefined;
}

export type ReadPart =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly error: EngineError };

/** The store that judges pieces and keeps them for peers that request them. */
export interface ServedPieces {
  /**
   * Judges a piece that we have and that was not judged since its files were last known good. `handleJudged` follows.
   */
  judge(piece: number): void;
  /** @returns A copy of bytes of a piece that is in memory; `undefined` when it is not. */
  copyWarm(piece: number, begin: number, length: number): Uint8Array | undefined;
}

/** The part that a reader requested. */
export interface ReadPartOutput {
  readonly kind: "part";
  readonly reader: Reader;
  readonly part: ReadPart;
}

/** The outputs of the readers for the torrent. */
export type ReadsOutput =
  | ReadPartOutput
  /** Pieces of no wanted file are wanted now, or no longer wanted. */
  | { readonly kind: "wanted" }
  /** The disk refused a read. */
  | { readonly kind: "refused"; readonly failure: DiskFailure };

export interface ReadsOptions {
  readonly geometry: Geometry;
  readonly have: Bitfield;
  /** Pieces that may be handed out without judging them first. */
  readonly judged: Bitfield;
  readonly urgent: Pick<
    UrgentRequests,
    "bytesPerSecond" | "open" | "setSpan" | "clearSpan" | "close"
  >;
  readonly served: ServedPieces;
  readonly bytes: Pick<ByteStore, "read">;
  readonly slabs: SlabPool;
  readonly memory: MemoryShare;
  /** Missing pieces are fetched from peers. */
  readonly fetches: boolean;
  readonly clock: Pick<Clock, "nowMs">;
}

/** One reader: its position, and what it waits for. */
export class Reader {
  readonly id: number;
  readonly request: ReadRequest;
  readonly pieces: PieceRange;
  /** The position of the next byte. */
  offset: number;
  /** It has requested a part and not received it. */
  isWaiting = false;
  /** The disk is reading for it. */
  isReading = false;
  /** Its piece is being judged. */
  isJudging = false;
  isOpen = true;
  /** The reason, if somebody else ended it. */
  error: EngineError | undefined;
  diskTries = 0;

  constructor(id: number, request: ReadRequest, pieces: PieceRange) {
    this.id = id;
    this.request = request;
    this.pieces = pieces;
    this.offset = request.offset;
  }
}

/**
 * The readers of one torrent. Each gets its bytes in order: from memory or disk when their piece is here and judged,
 * otherwise as soon as it is; pieces that it needs soon are fetched before all others. A reader takes one part after
 * another, and nothing is read for it until it requests the next one.
 *
 * Reader: open -> waiting (for a piece, its verdict, memory or the disk) <-> open -> closed.
 */
export class Reads {
  readonly #options: ReadsOptions;
  readonly #readers = new Set<Reader>();
  /** Readers that found no memory to read into, in turn. */
  readonly #starved = new Set<Reader>();
  readonly #outputs = new OutputQueue<ReadsOutput>();
  #nextId = 0;

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#readers.size === 0;
  }

  /** Call this when a burst is over, until it returns `undefined`. */
  nextOutput(): ReadsOutput | undefined {
    return this.#outputs.next();
  }

  /**
   * Opens a reader; call `close` afterwards. Its pieces are wanted from now on, whether their files are or not.
   *
   * @throws {EngineError} `too-many-readers`.
   */
  open(request: ReadRequest): Reader {
    if (this.#readers.size >= READERS_MAX) {
      const detail = `the torrent has ${READERS_MAX} readers, which is the limit; end one and try again`;
      throw new EngineError("too-many-readers", detail);
    }
    const { geometry, urgent, clock } = this.#options;
    const first = Math.floor(request.offset / geometry.pieceLength);
    const end = Math.ceil(request.endOffset / geometry.pieceLength);
    const reader = new Reader(this.#nextId, request, { first, end });
    this.#nextId += 1;
    this.#readers.add(reader);
    this.#plan(reader, clock.nowMs());
    if (this.#options.fetches && urgent.open(reader.id, reader.pieces)) {
      this.#outputs.push({ kind: "wanted" });
    }
    return reader;
  }

  /** Requests the next part: a `part` follows. Only one may be pending. */
  next(reader: Reader): void {
    if (reader.error) {
      this.#handOut(reader, { kind: "failed", error: reader.error });
      return;
    }
    reader.isWaiting = true;
    this.#advance(reader);
  }

  /** Ends the reader. A pending request is not answered. Does nothing when it is closed. */
  close(reader: Reader): void {
    if (!reader.isOpen) return;
    reader.isOpen = false;
    reader.isWaiting = false;
    this.#readers.delete(reader);
    this.#starved.delete(reader);
    if (this.#options.urgent.close(reader.id)) this.#outputs.push({ kind: "wanted" });
  }

  /** We have a piece, judged intact. */
  handlePiece(piece: number): void {
    for (const reader of this.#readers) {
      if (reader.isWaiting && this.#pieceOf(reader) === piece) this.#advance(reader);
    }
  }

  /** A piece that a reader waits for was judged. @param failure - Of the disk, which could not tell. */
  handleJudged(piece: number, failure: DiskFailure | undefined): void {
    for (const reader of this.#readers) {
      if (!reader.isJudging || this.#pieceOf(reader) !== piece) continue;
      reader.isJudging = false;
      if (failure) this.#handleFailure(reader, failure);
      else this.#advance(reader);
    }
  }

  /** A piece that we had is lost. */
  handleLost(piece: number): void {
    const now = this.#options.clock.nowMs();
    for (const reader of this.#readers) {
      if (piece < reader.pieces.first || piece >= reader.pieces.end) continue;
      this.#plan(reader, now);
      this.#advance(reader);
    }
  }

  /** It is our turn at the shared memory. @returns Whether readers still wait for it. */
  serveWaiting(): boolean {
    for (let left = this.#starved.size; left > 0; left -= 1) {
      if (!this.#options.memory.mayTry()) break;
      const [reader] = this.#starved;
      this.#starved.delete(reader!);
      this.#advance(reader!);
    }
    return this.#starved.size > 0;
  }

  tick(now: number): void {
    for (const reader of this.#readers) {
      this.#plan(reader, now);
      this.#advance(reader);
    }
  }

  /** Ends all readers. */
  end(error: EngineError): void {
    for (const reader of this.#readers) this.#finish(reader, { kind: "failed", error });
  }

  #handOut(reader: Reader, part: ReadPart): void {
    this.#outputs.push({ kind: "part", reader, part });
  }

  #pieceOf(reader: Reader): number {
    return Math.floor(reader.offset / this.#options.geometry.pieceLength);
  }

  /** Does what is possible for the part that the reader waits for. */
  #advance(reader: Reader): void {
    if (!reader.isWaiting || reader.isReading || reader.isJudging || this.#starved.has(reader))
      return;
    if (reader.offset === reader.request.endOffset) {
      this.#finish(reader, { kind: "end" });
      return;
    }
    const { have, judged, fetches, served } = this.#options;
    const piece = this.#pieceOf(reader);
    if (!have.has(piece)) {
      if (fetches) this.#plan(reader, this.#options.clock.nowMs());
      else this.#finish(reader, { kind: "failed", error: notFetched(piece) });
    } else if (judged.has(piece)) {
      this.#read(reader);
    } else {
      reader.isJudging = true;
      served.judge(piece);
    }
  }

  #read(reader: Reader): void {
    const runs = this.#runs(reader);
    const [{ piece, begin, length }] = runs as [ReadRun];
    const { served, bytes, judged } = this.#options;
    const warm = served.copyWarm(piece, begin, length);
    if (warm) {
      this.#deliver(reader, warm);
      return;
    }
    const last = runs.at(-1)!;
    const total = last.slabOffset + last.length;
    const slab = this.#takeSlab(reader, total);
    if (!slab) return;
    reader.isReading = true;
    bytes.read(slab, runs, (outcome) => {
      reader.isReading = false;
      // The slab is shared with workers and is returned; the reader gets its own copy.
      const read = outcome.kind === "done" && reader.isOpen ? slab.view.slice(0, total) : undefined;
      this.#give(slab);
      if (outcome.kind === "failure") {
        this.#outputs.push({ kind: "refused", failure: outcome });
        this.#handleFailure(reader, outcome);
      } else if (read && runs.every((run) => judged.has(run.piece))) {
        this.#deliver(reader, read);
      } else {
        // The files changed meanwhile.
        this.#advance(reader);
      }
    });
  }

  /** The next bytes that we have, judged. */
  #runs(reader: Reader): ReadRun[] {
    const { geometry, have, judged } = this.#options;
    const end = Math.min(reader.request.endOffset, reader.offset + PART_BYTES_MAX);
    const runs: ReadRun[] = [];
    for (let at = reader.offset; at < end;) {
      const piece = Math.floor(at / geometry.pieceLength);
      if (!have.has(piece) || !judged.has(piece)) break;
      const pieceEnd = Math.min(end, (piece + 1) * geometry.pieceLength);
      const begin = at - piece * geometry.pieceLength;
      runs.push({ piece, begin, length: pieceEnd - at, slabOffset: at - reader.offset });
      at = pieceEnd;
    }
    return runs;
  }

  #takeSlab(reader: Reader, bytes: number): Slab | undefined {
    const { memory, slabs, clock } = this.#options;
    const slab = memory.mayTry() ? slabs.take(bytes) : undefined;
    if (slab) {
      memory.take(clock.nowMs());
      return slab;
    }
    if (memory.mayTry()) memory.handleShort();
    this.#starved.add(reader);
    memory.wait();
    return undefined;
  }

  #give(slab: Slab): void {
    const { memory, slabs } = this.#options;
    slabs.give(slab);
    memory.handleRoom();
  }

  #deliver(reader: Reader, bytes: Uint8Array): void {
    reader.isWaiting = false;
    reader.diskTries = 0;
    const before = this.#pieceOf(reader);
    reader.offset += bytes.length;
    if (this.#pieceOf(reader) !== before) this.#plan(reader, this.#options.clock.nowMs());
    this.#handOut(reader, { kind: "bytes", bytes });
  }

  /** The next tick tries again: if the piece is lost, that is noticed meanwhile, and the reader waits for it. */
  #handleFailure(reader: Reader, failure: DiskFailure): void {
    if (!reader.isOpen) return;
    reader.diskTries += 1;
    if (reader.diskTries < DISK_TRIES_MAX) return;
    this.#finish(reader, { kind: "failed", error: unreadable(failure) });
  }

  #finish(reader: Reader, part: ReadPart): void {
    const { isWaiting } = reader;
    if (part.kind === "failed") reader.error = part.error;
    this.close(reader);
    if (isWaiting) this.#handOut(reader, part);
  }

  /** Reports which pieces the reader needs soon, and when. */
  #plan(reader: Reader, now: number): void {
    const { geometry, urgent, fetches } = this.#options;
    if (!fetches) return;
    const { deadlineMs, bytesPerSecond, offset: beginOffset } = reader.request;
    const { pieceLength } = geometry;
    const first = this.#pieceOf(reader);
    const pace = bytesPerSecond ?? Math.max(BYTES_PER_SECOND_MIN, urgent.bytesPerSecond(now));
    const msPerPiece = (pieceLength * 1000) / pace;
    const dueMs =
      bytesPerSecond === undefined
        ? Math.max(deadlineMs, now)
        : deadlineMs + ((first * pieceLength - beginOffset) * 1000) / pace;
    const inTime = Math.ceil((now + READ_AHEAD_MS - dueMs) / msPerPiece);
    const piecesMax = Math.min(AHEAD_PIECES_MAX, Math.max(1, AHEAD_BYTES_MAX / pieceLength));
    // The piece that it waits for is never too early.
    const count = Math.max(reader.isWaiting ? 1 : 0, Math.min(inTime, Math.floor(piecesMax)));
    const end = Math.min(reader.pieces.end, first + count);
    if (this.#lacks(first, end)) urgent.setSpan(reader.id, { first, end, dueMs, msPerPiece }, now);
    else urgent.clearSpan(reader.id);
  }

  #lacks(first: number, end: number): boolean {
    for (let piece = first; piece < end; piece += 1) {
      if (!this.#options.have.has(piece)) return true;
    }
    return false;
  }
}

function notFetched(piece: number): EngineError {
  const detail = `piece ${piece} is missing or damaged, and nothing is fetched for this torrent; add it as a download`;
  return new EngineError("not-fetched", detail);
}

function unreadable({ path, code, message }: DiskFailure): EngineError {
  return new EngineError("unreadable", `cannot read ${path}: ${message} (${code})`);
}
