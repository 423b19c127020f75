import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_BYTES, type Geometry } from "../../base/geometry.ts";
import { invariant } from "../../base/errors.ts";
import type {
  ByteStore,
  DiskFailure,
  PieceJudge,
  PieceVerdict,
  Slab,
  SlabPool,
} from "../../ports/content.ts";
import type { MemoryShare } from "../sharing/memory-share.ts";
import { OutputQueue } from "../sharing/output-queue.ts";

/**
 * Pieces longer than this, or than this part of all memory, are not held in memory as a whole: their blocks are
 * written to disk one by one, and the piece is judged by reading it back. The memory was sized before the torrent
 * was known, and may be smaller than one of its pieces.
 */
const MEMORY_PIECE_BYTES_MAX = 16 * 1024 * 1024;
const MEMORY_PIECE_SHARE_MAX = 1 / 4;

/** Spilled pieces are requested while this much memory is left for blocks in transit. */
const SPILLED_ROOM_BYTES = 64 * BLOCK_BYTES;

/** One piece that is being assembled. */
interface OpenPiece {
  /** The whole piece in memory, or `undefined` when its blocks are written to disk one by one. */
  slab: Slab | undefined;
  /** Blocks that are on disk and not judged. */
  readonly written: Bitfield;
  /** Writes in progress. */
  writing: number;
  judging: boolean;
  failure: DiskFailure | undefined;
  afterWrites: (() => void)[];
}

/** Where the payload of a block is put while it arrives. */
export interface BlockTarget {
  readonly bytes: Uint8Array;
  /** Set when the block has its own slab, to be written to disk at once. */
  readonly slab?: Slab | undefined;
}

export interface PieceStoreOptions {
  readonly geometry: Geometry;
  readonly bytes: Pick<ByteStore, "write">;
  readonly judge: Pick<PieceJudge, "store" | "verify">;
  readonly slabs: SlabPool;
  /** Notified when a slab came back. */
  readonly memory: Pick<MemoryShare, "handleRoom">;
}

/** A block could not be written; the piece is abandoned. If it waits to be judged, its verdict reports that instead. */
export interface RefusedWrite {
  readonly piece: number;
  readonly failure: DiskFailure;
}

/**
 * The memory of one torrent's pieces on their way from sockets to disk; the picker decides which blocks are wanted and
 * which peers may write them. A piece normally lives in one slab of shared memory until a worker has judged and
 * written it. When memory is short, or the piece is very long, its blocks are written as they arrive ("spilled") and
 * judged from disk. The limit of the slab pool is the back-pressure: without a slab no piece is opened, without an
 * open piece nothing is requested, and the sockets fall silent.
 */
export class PieceStore {
  readonly #options: PieceStoreOptions;
  readonly #open = new Map<number, OpenPiece>();
  /** Pieces are assembled in memory. */
  readonly #whole: boolean;
  #judging = 0;
  readonly #afterVerdicts: (() => void)[] = [];
  readonly #refused = new OutputQueue<RefusedWrite>();
  #returnedCount = 0;
  #claimsChanged = false;

  constructor(options: PieceStoreOptions) {
    this.#options = options;
    const { geometry, slabs } = options;
    // Blocks of spilled pieces need some memory as well: below that, spilling gains nothing.
    const share = Math.max(SPILLED_ROOM_BYTES, slabs.limitBytes * MEMORY_PIECE_SHARE_MAX);
    const bytesMax = Math.min(MEMORY_PIECE_BYTES_MAX, share);
    this.#whole = Math.min(geometry.pieceLength, geometry.spaceLength) <= bytesMax;
  }

  /** Slabs that came back so far: when the number grows, there may be memory for peers that waited for it. */
  get returnedCount(): number {
    return this.#returnedCount;
  }

  /** Call this when a burst is over, until it returns `undefined`. */
  nextRefused(): RefusedWrite | undefined {
    return this.#refused.next();
  }

  /** @returns True once after `written` changed for some piece: a resume may claim more blocks, or fewer. */
  takeClaimsChanged(): boolean {
    const changed = this.#claimsChanged;
    this.#claimsChanged = false;
    return changed;
  }

  /** Gives a piece memory. @returns False when there is none at the moment. */
  open(piece: number): boolean {
    const { geometry, slabs } = this.#options;
    const blockRoom = slabs.limitBytes - slabs.lentBytes >= SPILLED_ROOM_BYTES;
    if (this.#open.has(piece)) return blockRoom;
    let slab: Slab | undefined;
    if (this.#whole) {
      slab = slabs.take(geometry.pieceSize(piece));
      if (!slab) return false;
    } else if (!blockRoom) {
      return false;
    }
    this.#open.set(piece, this.#newPiece(piece, slab));
    return true;
  }

  /** Resumes a piece with blocks on disk from the last run, or with none because it is all padding. */
  restore(piece: number, blocks: Bitfield): void {
    const entry = this.#newPiece(piece, undefined);
    for (const block of blocks.indexes()) entry.written.add(block);
    this.#open.set(piece, entry);
  }

  /** Where to put a block that begins to arrive; `undefined` when memory ran out. */
  target(piece: number, block: number, length: number): BlockTarget | undefined {
    const entry = this.#open.get(piece);
    if (!entry || entry.judging) return undefined;
    if (entry.slab) {
      const begin = block * BLOCK_BYTES;
      return { bytes: entry.slab.view.subarray(begin, begin + length) };
    }
    const slab = this.#options.slabs.take(BLOCK_BYTES);
    return slab && { slab, bytes: slab.view.subarray(0, length) };
  }

  /** The payload for `target` will not be completed, or is not wanted any more. */
  cancelTarget(target: BlockTarget): void {
    if (target.slab) this.#give(target.slab);
  }

  /** The payload is complete in its target. */
  arrived(piece: number, block: number, target: BlockTarget): void {
    const entry = this.#open.get(piece);
    if (!entry || !target.slab) {
      this.cancelTarget(target);
      return;
    }
    const { slab } = target;
    this.#write(piece, entry, { block, count: 1, slab, slabOffset: 0 }, () => this.#give(slab));
  }

  /** Judges a piece when all its blocks have arrived, and writes it when it is intact. */
  judge(
    piece: number,
    options: { readonly digests: boolean },
    onVerdict: (verdict: PieceVerdict) => void,
  ): void {
    const entry = this.#open.get(piece);
    invariant(entry && !entry.judging, "a piece is judged once, while it is open");
    entry.judging = true;
    this.#judging += 1;
    const finish = (verdict: PieceVerdict): void => {
      this.#judging -= 1;
      this.#close(piece, entry);
      if (entry.slab) this.#give(entry.slab);
      entry.slab = undefined;
      onVerdict(verdict);
      if (this.#judging === 0) for (const next of this.#afterVerdicts.splice(0)) next();
    };
    if (entry.slab) {
      this.#options.judge.store(piece, entry.slab, options, finish);
      return;
    }
    this.#afterWrites(entry, () => {
      if (entry.failure) finish(entry.failure);
      else this.#options.judge.verify(piece, options, finish);
    });
  }

  /**
   * Writes the blocks of an idle piece that have arrived to disk, unjudged, and frees the piece's memory.
   *
   * @param blocks - The blocks that have arrived.
   * @returns False when the piece is not in memory.
   */
  spill(piece: number, blocks: Bitfield): boolean {
    const entry = this.#open.get(piece);
    if (!entry?.slab || entry.judging) return false;
    const { slab } = entry;
    entry.slab = undefined;
    let block = 0;
    while (block < blocks.length) {
      if (!blocks.has(block)) {
        block += 1;
        continue;
      }
      let end = block + 1;
      while (blocks.has(end)) end += 1;
      const run = { block, count: end - block, slab, slabOffset: block * BLOCK_BYTES };
      this.#write(piece, entry, run, () => undefined);
      block = end;
    }
    // If nothing had arrived, nothing of the piece is on disk.
    if (blocks.count === 0) this.#open.delete(piece);
    this.#afterWrites(entry, () => this.#give(slab));
    return true;
  }

  /** A piece whose blocks are on disk is no longer assembled. */
  discard(piece: number): void {
    const entry = this.#open.get(piece);
    invariant(
      !entry?.slab && !entry?.judging,
      "nobody writes to its memory, or waits for its verdict",
    );
    if (entry) this.#close(piece, entry);
  }

  /** Blocks of unfinished pieces on disk: a resume may claim them once they are synced. */
  written(piece: number): Bitfield | undefined {
    return this.#open.get(piece)?.written;
  }

  /** Calls back when no piece is being judged or written. */
  whenIdle(onDone: () => void): void {
    if (this.#judging > 0) {
      this.#afterVerdicts.push(() => this.whenIdle(onDone));
      return;
    }
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

  #close(piece: number, entry: OpenPiece): void {
    this.#open.delete(piece);
    if (entry.written.count > 0) this.#claimsChanged = true;
  }

  #newPiece(piece: number, slab: Slab | undefined): OpenPiece {
    return {
      slab,
      written: new Bitfield(this.#options.geometry.blockCount(piece)),
      writing: 0,
      judging: false,
      failure: undefined,
      afterWrites: [],
    };
  }

  #write(piece: number, entry: OpenPiece, run: BlockRun, release: () => void): void {
    const { block, count, slab, slabOffset } = run;
    const begin = block * BLOCK_BYTES;
    const end = Math.min(begin + count * BLOCK_BYTES, this.#options.geometry.requestSize(piece));
    entry.writing += 1;
    const span = { begin, length: end - begin };
    this.#options.bytes.write(piece, span, { slab, slabOffset }, (outcome) => {
      entry.writing -= 1;
      release();
      if (outcome.kind === "done") {
        for (let i = block; i < block + count; i += 1) entry.written.add(i);
        this.#claimsChanged = true;
      } else if (!entry.failure) {
        entry.failure = outcome;
        // The piece may have been discarded meanwhile, and opened again.
        if (!entry.judging && this.#open.get(piece) === entry) {
          this.#close(piece, entry);
          this.#refused.push({ piece, failure: outcome });
        }
      }
      if (entry.writing === 0) for (const next of entry.afterWrites.splice(0)) next();
    });
  }

  #afterWrites(entry: OpenPiece, next: () => void): void {
    if (entry.writing === 0) next();
    else entry.afterWrites.push(next);
  }

  #give(slab: Slab): void {
    this.#options.slabs.give(slab);
    this.#returnedCount += 1;
    this.#options.memory.handleRoom();
  }
}

interface BlockRun {
  readonly block: number;
  readonly count: number;
  readonly slab: Slab;
  readonly slabOffset: number;
}
