import { Bitfield } from "../base/bitfield.ts";
import { invariant } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { DiskFailure, DiskOutcome, OpenContent, Slab } from "../ports/content.ts";
import type { AppendFile } from "../ports/files.ts";
import { encodeJournal, type HashKinds, type PieceRecord } from "./hash-journal.ts";
import { diskError, PublishError } from "./publish-error.ts";
import type { SlabLine } from "./slab-line.ts";
import type { UploadLayout } from "./upload-layout.ts";

// One slab is filled while others are hashed and written; more would only hold memory.
const PIECES_UNDER_WAY_MAX = 3;
// The most time of work that a kill can cost; more frequent syncs would keep the disk from writing long runs.
const CHECKPOINT_MS = 2_000;
// A slow sender keeps its piece in memory for at most this long while others wait for room (HUB-8).
const HOLD_MS = 3_000;

export interface UploadOptions {
  readonly layout: UploadLayout;
  readonly kinds: HashKinds;
  readonly content: Pick<OpenContent, "bytes" | "judge" | "places">;
  readonly journal: AppendFile;
  readonly slabs: SlabLine;
  readonly clock: Clock;
  /** Records of pieces that are already durable, from the journal. */
  readonly records: readonly PieceRecord[];
  /** Bytes that were durable at the end of the last request, including a tail after the last whole piece. */
  readonly durable: number;
  /** Stores that this many bytes now survive a kill. */
  readonly saveDurable: (bytes: number) => Promise<void>;
}

interface FillingPiece {
  readonly piece: number;
  readonly slab: Slab;
  /** Bytes of the piece that are in the slab. */
  filled: number;
}

/**
 * Receives the bytes of one draft in order and turns them into verified pieces on disk. A complete piece goes to the
 * workers, which hash and write it at once.
 *
 * The offset counts received bytes. It survives a kill up to the last checkpoint: first the data is made durable,
 * then the hashes in the journal, so that the journal never promises what is not on disk.
 */
export class Upload {
  readonly #options: UploadOptions;
  readonly #layout: UploadLayout;
  readonly #records: (PieceRecord | undefined)[];
  readonly #done: Bitfield;
  /** The number of leading pieces that are done without a gap. */
  #contiguous: number;
  #journaled: number;
  #offset: number;
  #filling: FillingPiece | undefined;
  #holdTimer: Timer | undefined;
  /** The piece was in memory for long, and others wait. */
  #overdue = false;
  #waitingForChunk = false;
  /** The received part of the piece is being written; settles and never rejects. */
  #puttingAside: Promise<void> | undefined;
  /** Part of a piece is on disk, perhaps not durable yet. */
  #tailWritten = false;
  #underWay = 0;
  #wake: (() => void)[] = [];
  #failure: PublishError | undefined;
  #receiving = false;
  /** Ends the wait for the next chunk. */
  #interrupt: (() => void) | undefined;
  #closing: Promise<void> | undefined;
  #checkpointTimer: Timer | undefined;
  #checkpoints: Promise<void> = Promise.resolve();

  constructor(options: UploadOptions) {
    this.#options = options;
    this.#layout = options.layout;
    const { pieceCount } = options.layout.geometry;
    this.#records = Array.from({ length: pieceCount }, (_, piece) => options.records[piece]);
    this.#done = new Bitfield(pieceCount);
    for (let piece = 0; piece < options.records.length; piece += 1) this.#done.add(piece);
    this.#contiguous = options.records.length;
    this.#journaled = options.records.length;
    const end = this.#layout.start(this.#contiguous);
    // A tail counts only inside the piece after the journal's last one.
    const next = Math.min(this.#contiguous + 1, pieceCount);
    this.#offset =
      options.durable < this.#layout.start(next) ? Math.max(end, options.durable) : end;
  }

  /** Bytes received so far. */
  get offset(): number {
    return this.#offset;
  }

  /** True when every piece is hashed and durable. */
  get complete(): boolean {
    return this.#journaled === this.#layout.geometry.pieceCount;
  }

  /** True while a request delivers bytes. */
  get receiving(): boolean {
    return this.#receiving;
  }

  /** The hashes of all pieces in order. Call it only when complete. */
  hashes(): { v1?: Uint8Array | undefined; v2?: Uint8Array | undefined } {
    invariant(this.complete, "asked when the last byte is durable");
    return {
      v1: this.#options.kinds.v1 ? this.#joined("v1", 20) : undefined,
      v2: this.#options.kinds.v2 ? this.#joined("v2", 32) : undefined,
    };
  }

  /**
   * Receives bytes from `offset` on until the body ends. Everything that arrived is durable when this settles, even
   * when the body ended in the middle of a piece.
   *
   * @param body - Chunks are copied at once and may be reused.
   * @returns The new offset.
   * @throws {PublishError} (rejects) `bad-offset`, `too-large`, `disk-full`, `disk-error`, `closed`; or the body's
   *   own error, after its bytes were saved.
   */
  async receive(offset: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    if (this.#closing) throw closedError();
    if (this.#receiving || offset !== this.#offset) {
      throw new PublishError("bad-offset", `The upload stands at ${this.#offset}, not ${offset}.`);
    }
    this.#receiving = true;
    const chunks = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.#next(chunks);
        if (next.done) break;
        await this.#take(next.value);
        if (this.#overdue) await this.#putAside();
      }
    } finally {
      this.#interrupt = undefined;
      await this.#settle().finally(() => {
        this.#receiving = false;
        this.#notify();
      });
    }
    return this.#offset;
  }

  /** Closes without losing a byte that arrived: a running request is cut off and its bytes are made durable. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#interrupt?.();
    while (this.#receiving) await this.#change();
    this.#fail(closedError());
    await this.#idle();
    this.#checkpointTimer?.cancel();
    await this.#checkpoints.catch(() => undefined);
    await this.#options.journal.close();
    await new Promise<void>((resolve) => this.#options.content.bytes.close(resolve));
  }

  /** The next chunk; `close` does not wait for a silent body. */
  async #next(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array, unknown>> {
    this.#waitingForChunk = true;
    try {
      return await new Promise((resolve, reject) => {
        this.#interrupt = () => reject(closedError());
        if (this.#closing) this.#interrupt();
        chunks.next().then(resolve, reject);
      });
    } finally {
      this.#waitingForChunk = false;
      await this.#puttingAside;
      this.#puttingAside = undefined;
    }
  }

  async #take(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      this.#check();
      if (this.#offset === this.#layout.size) {
        throw new PublishError("too-large", "More bytes came than were declared.");
      }
      const filling = this.#filling ?? (await this.#begin());
      const room = this.#pieceBytes(filling.piece) - filling.filled;
      const part = rest.subarray(0, room);
      filling.slab.view.set(part, filling.filled);
      filling.filled += part.length;
      this.#offset += part.length;
      rest = rest.subarray(part.length);
      if (part.length === room) this.#submit(filling);
    }
  }

  /** Gets room for the piece at the offset, and reads its beginning when that arrived earlier. */
  async #begin(): Promise<FillingPiece> {
    while (this.#underWay >= PIECES_UNDER_WAY_MAX) await this.#change();
    this.#check();
    const piece = this.#layout.pieceAt(this.#offset);
    const slab = await this.#options.slabs.take(this.#layout.geometry.pieceSize(piece));
    const filled = this.#offset - this.#layout.start(piece);
    if (filled > 0) {
      const run = { piece, begin: 0, length: filled, slabOffset: 0 };
      const outcome = await new Promise<{ kind: string } | DiskFailure>((resolve) =>
        this.#options.content.bytes.read(slab, [run], resolve),
      );
      if ("code" in outcome) {
        this.#options.slabs.give(slab);
        throw this.#fail(diskError(outcome));
      }
    }
    this.#filling = { piece, slab, filled };
    this.#hold();
    return this.#filling;
  }

  #hold(): void {
    this.#holdTimer = this.#options.clock.startTimer(HOLD_MS, () => {
      if (!this.#options.slabs.wanted) return this.#hold();
      this.#overdue = true;
      if (this.#waitingForChunk) this.#puttingAside ??= this.#putAside();
    });
  }

  /** @returns The piece that was being filled, which the caller now owns. */
  #letGo(): FillingPiece | undefined {
    const filling = this.#filling;
    this.#filling = undefined;
    this.#holdTimer?.cancel();
    this.#overdue = false;
    return filling;
  }

  /** Writes the received part of the piece and frees its memory; `#begin` reads it again. A failure is remembered. */
  async #putAside(): Promise<void> {
    const filling = this.#letGo();
    if (!filling) return;
    this.#tailWritten = true;
    const outcome = await new Promise<DiskOutcome>((resolve) =>
      this.#options.content.bytes.write(
        filling.piece,
        { begin: 0, length: filling.filled },
        { slab: filling.slab, slabOffset: 0 },
        resolve,
      ),
    );
    this.#options.slabs.give(filling.slab);
    if (outcome.kind === "failure") this.#fail(diskError(outcome));
  }

  #submit(filling: FillingPiece): void {
    const { piece, slab } = filling;
    this.#letGo();
    this.#underWay += 1;
    const { content, kinds, slabs } = this.#options;
    content.judge.ingest(piece, slab, kinds, (result) => {
      slabs.give(slab);
      this.#underWay -= 1;
      if ("kind" in result) this.#fail(diskError(result));
      else this.#finished(piece, result);
      this.#notify();
    });
  }

  #finished(piece: number, record: PieceRecord): void {
    const { kinds } = this.#options;
    invariant(
      (!kinds.v1 || record.v1) && (!kinds.v2 || record.v2),
      "the workers hand out what they were asked for",
    );
    // Copied, because a result may be a view into a much larger message.
    this.#records[piece] = { v1: record.v1?.slice(), v2: record.v2?.slice() };
    this.#done.add(piece);
    while (this.#done.has(this.#contiguous)) this.#contiguous += 1;
    this.#checkpointTimer ??= this.#options.clock.startTimer(CHECKPOINT_MS, () => {
      this.#checkpointTimer = undefined;
      // A failure is remembered, and the next delivery of bytes reports it.
      this.#checkpoint().catch((error: unknown) => this.#fail(asPublishError(error)));
    });
  }

  /** Data first, then its hashes. One at a time. */
  #checkpoint(): Promise<void> {
    this.#checkpoints = this.#checkpoints.then(async () => {
      const first = this.#journaled;
      const end = this.#contiguous;
      if (end === first) return;
      await this.#sync();
      const records = this.#records.slice(first, end).filter((record) => record !== undefined);
      invariant(records.length === end - first, "pieces without a gap have their hashes");
      await this.#options.journal.append(encodeJournal(records, this.#options.kinds, first));
      this.#journaled = end;
    });
    return this.#checkpoints;
  }

  /** After the last byte of a request: makes everything that arrived durable. */
  async #settle(): Promise<void> {
    await this.#putAside();
    await this.#idle();
    try {
      this.#check();
      this.#checkpointTimer?.cancel();
      this.#checkpointTimer = undefined;
      if (this.#offset === this.#layout.size) await this.#createEmpty();
      if (this.#tailWritten) await this.#sync();
      this.#tailWritten = false;
      await this.#checkpoint();
      await this.#options.saveDurable(this.#offset);
    } catch (error) {
      throw this.#fail(asPublishError(error));
    }
  }

  async #sync(): Promise<void> {
    const outcome = await new Promise<DiskOutcome>((resolve) =>
      this.#options.content.bytes.sync(resolve),
    );
    if (outcome.kind === "failure") throw diskError(outcome);
  }

  async #createEmpty(): Promise<void> {
    const { places } = this.#options.content;
    if (!places) return;
    const outcome = await new Promise<DiskOutcome>((resolve) => places.createEmpty(resolve));
    if (outcome.kind === "failure") throw diskError(outcome);
    await this.#sync();
  }

  /** Remembers the first failure: this object accepts nothing more, and the draft must be opened again. */
  #fail(error: PublishError): PublishError {
    this.#failure ??= error;
    this.#notify();
    return this.#failure;
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }

  async #idle(): Promise<void> {
    while (this.#underWay > 0) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }

  #pieceBytes(piece: number): number {
    return this.#layout.start(piece + 1) - this.#layout.start(piece);
  }

  #joined(kind: "v1" | "v2", bytes: number): Uint8Array {
    const joined = new Uint8Array(this.#records.length * bytes);
    for (const [piece, record] of this.#records.entries()) {
      const hash = record?.[kind];
      invariant(hash?.length === bytes, "every piece has its hash");
      joined.set(hash, piece * bytes);
    }
    return joined;
  }
}

function closedError(): PublishError {
  return new PublishError("closed", "This upload was closed.");
}

function asPublishError(error: unknown): PublishError {
  if (error instanceof PublishError) return error;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return diskError({ code: error.code, message: error.message });
  }
  return new PublishError("disk-error", "The upload could not be kept.", { cause: error });
}
