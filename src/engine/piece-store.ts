import { Bitfield } from "../base/bitfield.ts";
import { BLOCK_BYTES, type Geometry } from "../base/geometry.ts";
import { invariant } from "../base/errors.ts";
import type { Content, DiskOutcome, PieceVerdict, Slab, SlabPool } from "../ports/content.ts";

/**
 * Pieces longer than this are not held in memory as a whole: their blocks go to disk one by one and
 * the piece is judged by reading it back. A sixth of the default write cache.
 */
export const MEMORY_PIECE_BYTES_MAX = 16 * 1024 * 1024;

/** One piece that is being put together. */
interface OpenPiece {
  /** The whole piece in memory, or `undefined` when its blocks go to disk one by one. */
  slab: Slab | undefined;
  /** Blocks that are on disk, not judged. */
  readonly written: Bitfield;
  /** Blocks that have arrived, in memory or on disk. */
  readonly arrived: Bitfield;
  /** Writes under way. */
  writing: number;
  /** The peer that fills each block right now; two must not write one block at once. */
  readonly writers: Int32Array;
  judging: boolean;
  abandoned: boolean;
  afterWrites: (() => void)[];
}

/** Where the payload of a block goes while it arrives. */
export type BlockTarget =
  | { readonly kind: "memory"; readonly bytes: Uint8Array }
  | { readonly kind: "slab"; readonly bytes: Uint8Array; readonly slab: Slab };

export interface PieceStoreOptions {
  readonly geometry: Geometry;
  readonly content: Content;
  readonly slabs: SlabPool;
  /** A slab came back: whoever waited for memory may ask again. */
  readonly onRoom: () => void;
  /** A block could not be written; the piece is abandoned. */
  readonly onWriteFailure: (piece: number, outcome: DiskOutcome) => void;
}

/**
 * The pieces of one torrent on their way from sockets to disk. A piece normally lives in one slab of
 * shared memory until a worker has judged and written it; when memory is short, or the piece is very
 * long, its blocks are written as they come ("spilled") and judged from disk. The limit of the slab
 * pool is the back-pressure: without a slab no piece is opened, without an open piece nothing is
 * requested, and the sockets fall silent.
 */
export class PieceStore {
  readonly #options: PieceStoreOptions;
  readonly #open = new Map<number, OpenPiece>();

  constructor(options: PieceStoreOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#open.size;
  }

  isOpen(piece: number): boolean {
    return this.#open.has(piece);
  }

  /** Opens a piece, taking its memory. @returns False when there is none at the moment. */
  open(piece: number): boolean {
    if (this.#open.has(piece)) return true;
    const { geometry, slabs } = this.#options;
    let slab: Slab | undefined;
    if (geometry.pieceLength <= MEMORY_PIECE_BYTES_MAX) {
      slab = slabs.take(geometry.pieceSize(piece));
      if (!slab) return false;
    } else if (slabs.limitBytes - slabs.lentBytes < 64 * BLOCK_BYTES) {
      return false;
    }
    this.#open.set(piece, this.#newPiece(piece, slab));
    return true;
  }

  /** Takes up a piece some of whose blocks are on disk since the last run. */
  restore(piece: number, blocks: Bitfield): void {
    const entry = this.#newPiece(piece, undefined);
    for (const block of blocks.indexes()) {
      entry.written.add(block);
      entry.arrived.add(block);
    }
    this.#open.set(piece, entry);
  }

  /**
   * Where a block that begins to arrive is to be put.
   *
   * @param writer - The peer's key. While it fills a block, others get `undefined`.
   * @returns `undefined` when the block is not wanted any more, is being filled, or memory ran out.
   */
  target(piece: number, block: number, length: number, writer: number): BlockTarget | undefined {
    const entry = this.#open.get(piece);
    if (!entry || entry.judging || entry.arrived.has(block)) return undefined;
    if (entry.writers[block] !== -1) return undefined;
    if (entry.slab) {
      entry.writers[block] = writer;
      const begin = block * BLOCK_BYTES;
      return { kind: "memory", bytes: entry.slab.view.subarray(begin, begin + length) };
    }
    const slab = this.#options.slabs.take(BLOCK_BYTES);
    if (!slab) return undefined;
    entry.writers[block] = writer;
    return { kind: "slab", slab, bytes: slab.view.subarray(0, length) };
  }

  /** The payload that was going to `target` will not come to its end. */
  cancelTarget(piece: number, block: number, target: BlockTarget): void {
    const entry = this.#open.get(piece);
    if (entry) entry.writers[block] = -1;
    if (target.kind === "slab") this.#give(target.slab);
  }

  /**
   * The payload is complete in its target.
   *
   * @returns False when it came too late to be of use.
   */
  arrived(piece: number, block: number, target: BlockTarget): boolean {
    const entry = this.#open.get(piece);
    if (!entry || entry.judging || entry.arrived.has(block)) {
      if (target.kind === "slab") this.#give(target.slab);
      return false;
    }
    entry.writers[block] = -1;
    // The slab went to disk while this block was coming in: its bytes are in memory no more ours.
    if (target.kind === "memory" && !entry.slab) return false;
    entry.arrived.add(block);
    if (target.kind === "slab") {
      this.#write(piece, entry, block, 1, target.slab, 0, () => this.#give(target.slab));
    }
    return true;
  }

  /** Judges a piece all of whose blocks have arrived, and writes it when it is intact. */
  judge(
    piece: number,
    options: { readonly digests: boolean },
    onVerdict: (verdict: PieceVerdict) => void,
  ): void {
    const entry = this.#open.get(piece);
    invariant(entry && !entry.judging, "a piece is judged once, while it is open");
    entry.judging = true;
    const finish = (verdict: PieceVerdict): void => {
      this.#close(piece, entry);
      onVerdict(verdict);
    };
    if (entry.slab) {
      this.#options.content.store(piece, entry.slab, options, finish);
      return;
    }
    this.#afterWrites(entry, () => {
      if (entry.abandoned) return;
      this.#options.content.verify(piece, options, finish);
    });
  }

  /** Forgets an open piece and what arrived of it. */
  abandon(piece: number): void {
    const entry = this.#open.get(piece);
    if (!entry || entry.judging) return;
    entry.abandoned = true;
    this.#open.delete(piece);
    const slab = entry.slab;
    entry.slab = undefined;
    // A write may still read from the slab.
    this.#afterWrites(entry, () => {
      if (slab) this.#give(slab);
    });
  }

  /**
   * Writes what has arrived of a piece to disk, unjudged, and frees its memory.
   *
   * @returns False when the piece is not in memory, or a block is being filled just now.
   */
  spill(piece: number): boolean {
    const entry = this.#open.get(piece);
    if (!entry?.slab || entry.judging) return false;
    if (entry.writers.some((writer) => writer !== -1)) return false;
    const slab = entry.slab;
    entry.slab = undefined;
    const blocks = this.#options.geometry.blockCount(piece);
    let block = 0;
    while (block < blocks) {
      if (!entry.arrived.has(block) || entry.written.has(block)) {
        block += 1;
        continue;
      }
      let end = block + 1;
      while (end < blocks && entry.arrived.has(end) && !entry.written.has(end)) end += 1;
      this.#write(piece, entry, block, end - block, slab, block * BLOCK_BYTES, () => undefined);
      block = end;
    }
    this.#afterWrites(entry, () => this.#give(slab));
    return true;
  }

  /** Pieces that hold memory and are not being judged, in the order they were opened. */
  *inMemory(): Generator<number> {
    for (const [piece, entry] of this.#open) if (entry.slab && !entry.judging) yield piece;
  }

  /** Unfinished pieces and their blocks that are on disk: what a resume may claim once it is synced. */
  partial(): { piece: number; blocks: Bitfield }[] {
    const partial: { piece: number; blocks: Bitfield }[] = [];
    for (const [piece, entry] of this.#open) {
      if (entry.written.count > 0) partial.push({ piece, blocks: entry.written.clone() });
    }
    return partial;
  }

  /** Calls back when no write of an unfinished piece is under way. */
  whenWritten(onDone: () => void): void {
    let waiting = 1;
    const done = (): void => {
      waiting -= 1;
      if (waiting === 0) onDone();
    };
    for (const entry of this.#open.values()) {
      waiting += 1;
      this.#afterWrites(entry, done);
    }
    done();
  }

  #newPiece(piece: number, slab: Slab | undefined): OpenPiece {
    const blocks = this.#options.geometry.blockCount(piece);
    return {
      slab,
      written: new Bitfield(blocks),
      arrived: new Bitfield(blocks),
      writing: 0,
      writers: new Int32Array(blocks).fill(-1),
      judging: false,
      abandoned: false,
      afterWrites: [],
    };
  }

  #write(
    piece: number,
    entry: OpenPiece,
    block: number,
    blocks: number,
    slab: Slab,
    slabOffset: number,
    release: () => void,
  ): void {
    const begin = block * BLOCK_BYTES;
    const end = Math.min(begin + blocks * BLOCK_BYTES, this.#options.geometry.requestSize(piece));
    entry.writing += 1;
    const run = { begin, length: end - begin };
    this.#options.content.write(piece, run, { slab, slabOffset }, (outcome) => {
      entry.writing -= 1;
      release();
      if (outcome.kind === "done") {
        for (let i = block; i < block + blocks; i += 1) entry.written.add(i);
      } else if (!entry.abandoned) {
        entry.judging = false;
        this.abandon(piece);
        this.#options.onWriteFailure(piece, outcome);
      }
      if (entry.writing === 0) {
        for (const next of entry.afterWrites.splice(0)) next();
      }
    });
  }

  #afterWrites(entry: OpenPiece, next: () => void): void {
    if (entry.writing === 0) next();
    else entry.afterWrites.push(next);
  }

  #close(piece: number, entry: OpenPiece): void {
    this.#open.delete(piece);
    if (entry.slab) this.#give(entry.slab);
    entry.slab = undefined;
  }

  #give(slab: Slab): void {
    this.#options.slabs.give(slab);
    this.#options.onRoom();
  }
}
