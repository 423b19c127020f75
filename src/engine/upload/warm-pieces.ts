import { BLOCK_BYTES, type Geometry } from "../../base/geometry.ts";
import type { PieceFrames, Slab, SlabPool } from "../../ports/content.ts";
import { PIECE_HEAD_BYTES, writePieceHead } from "../../wire/encode-messages.ts";
import type { MemoryShare } from "../sharing/memory-share.ts";
import type { UploadQueue } from "./upload-queue.ts";

const FRAME_BYTES = PIECE_HEAD_BYTES + BLOCK_BYTES;
/** Longer pieces are read again to be served. */
const PIECE_BYTES_MAX = 4 * 1024 * 1024;
/** Per torrent: twice what a peer may request ahead (500 blocks). */
const WARM_BYTES_MAX = 16 * 1024 * 1024;
/** A piece is dropped when no peer has requested it for this time. */
const IDLE_MS = 5000;

/** One piece in memory, as the messages that carry it: each block behind its head. */
export class WarmPiece {
  readonly slab: Slab;
  readonly bytes: number;
  /** Reads into it and sends from it that are in progress. */
  users = 1;
  /** Blocks sent so far; a piece that was served once makes room first. */
  sentBlocks = 0;
  usedAtMs: number;

  constructor(slab: Slab, bytes: number, nowMs: number) {
    this.slab = slab;
    this.bytes = bytes;
    this.usedAtMs = nowMs;
  }
}

export interface WarmPiecesOptions {
  readonly geometry: Geometry;
  readonly slabs: SlabPool;
  /** Notified when memory is returned. */
  readonly memory: Pick<MemoryShare, "handleRoom">;
}

/**
 * Pieces that were read to be judged and that peers request. They are served from this memory, without a second
 * read, to every peer that requests them while they are here. The memory is bounded; other pieces are served from
 * disk.
 */
export class WarmPieces {
  readonly #options: WarmPiecesOptions;
  readonly #pieces = new Map<number, WarmPiece>();
  #bytes = 0;
  #idleBytes = 0;
  #closed = false;

  constructor(options: WarmPiecesOptions) {
    this.#options = options;
  }

  /** Bytes of pieces that are not being sent: `dropIdle` frees them. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Memory to judge a piece in; call `keep` or `release` afterwards. `undefined` when there is none. */
  take(piece: number, nowMs: number): WarmPiece | undefined {
    const { geometry, slabs } = this.#options;
    if (this.#closed || geometry.pieceLength > PIECE_BYTES_MAX) return undefined;
    const bytes = geometry.requestSize(piece) + geometry.blockCount(piece) * PIECE_HEAD_BYTES;
    if (bytes === 0) return undefined;
    while (this.#bytes + bytes > WARM_BYTES_MAX) if (!this.#evict()) return undefined;
    const slab = slabs.take(bytes);
    if (!slab) return undefined;
    this.#bytes += bytes;
    return new WarmPiece(slab, bytes, nowMs);
  }

  frames(warm: WarmPiece): PieceFrames {
    return { slab: warm.slab, headBytes: PIECE_HEAD_BYTES };
  }

  /** The piece is intact: from now on it is served from this memory. */
  keep(piece: number, warm: WarmPiece): void {
    if (this.#closed) {
      this.release(piece, warm);
      return;
    }
    const { geometry } = this.#options;
    for (let block = 0; block < geometry.blockCount(piece); block += 1) {
      const begin = block * BLOCK_BYTES;
      const length = geometry.blockSize(piece, block);
      writePieceHead(warm.slab.view, block * FRAME_BYTES, { piece, begin, length });
    }
    this.#pieces.set(piece, warm);
    warm.users -= 1;
    if (warm.users === 0) this.#idleBytes += warm.bytes;
  }

  /**
   * Takes consecutive requests for a piece in memory off the queue.
   *
   * @param room - The most bytes of payload to take, but at least one block.
   * @returns Their answer; call `release` when it has left. `undefined`, and nothing is taken, when the first
   *   request is not for a whole block of such a piece.
   */
  answer(queue: UploadQueue, room: number, nowMs: number): WarmAnswer | undefined {
    const { piece, begin } = queue.peek()!;
    const warm = this.#pieces.get(piece);
    if (!warm || begin % BLOCK_BYTES !== 0) return undefined;
    const first = begin / BLOCK_BYTES;
    let payload = 0;
    let end = first;
    for (let next = queue.peek(); next; next = queue.peek()) {
      if (next.piece !== piece || next.begin !== end * BLOCK_BYTES) break;
      if (next.length !== this.#options.geometry.blockSize(piece, end)) break;
      if (payload > 0 && payload + next.length > room) break;
      queue.shift();
      payload += next.length;
      end += 1;
    }
    if (payload === 0) return undefined;
    const start = first * FRAME_BYTES;
    const length = payload + (end - first) * PIECE_HEAD_BYTES;
    if (warm.users === 0) this.#idleBytes -= warm.bytes;
    warm.users += 1;
    warm.sentBlocks += end - first;
    warm.usedAtMs = nowMs;
    return { warm, messages: warm.slab.view.subarray(start, start + length), payload };
  }

  /** @returns A copy of bytes of a piece in memory; `undefined` when it is not here. */
  copy(piece: number, begin: number, length: number): Uint8Array | undefined {
    const warm = this.#pieces.get(piece);
    if (!warm) return undefined;
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const block = Math.floor((begin + done) / BLOCK_BYTES);
      const inBlock = begin + done - block * BLOCK_BYTES;
      const count = Math.min(BLOCK_BYTES - inBlock, length - done);
      const at = block * FRAME_BYTES + PIECE_HEAD_BYTES + inBlock;
      bytes.set(warm.slab.view.subarray(at, at + count), done);
      done += count;
    }
    return bytes;
  }

  /** An answer has left, or a judged piece is not kept. */
  release(piece: number, warm: WarmPiece): void {
    warm.users -= 1;
    if (warm.users > 0) return;
    if (this.#pieces.get(piece) === warm) this.#idleBytes += warm.bytes;
    else this.#give(warm);
  }

  /** The piece must not be served from memory any more. */
  drop(piece: number): void {
    const warm = this.#pieces.get(piece);
    if (!warm) return;
    this.#pieces.delete(piece);
    if (warm.users > 0) return;
    this.#idleBytes -= warm.bytes;
    this.#give(warm);
  }

  /** Drops pieces that are not being sent. @returns Whether that freed memory. */
  dropIdle(): boolean {
    const before = this.#bytes;
    for (const [piece, warm] of this.#pieces) if (warm.users === 0) this.drop(piece);
    return this.#bytes < before;
  }

  /** From now on no piece is kept. */
  close(): void {
    this.#closed = true;
    for (const piece of this.#pieces.keys()) this.drop(piece);
  }

  /** Drops pieces that no peer has requested for a while. */
  tick(nowMs: number): void {
    for (const [piece, warm] of this.#pieces) {
      if (nowMs - warm.usedAtMs >= IDLE_MS) this.drop(piece);
    }
  }

  /** Makes room by dropping the oldest piece that was sent completely. @returns False when there is none. */
  #evict(): boolean {
    for (const [piece, warm] of this.#pieces) {
      const served = warm.sentBlocks >= this.#options.geometry.blockCount(piece);
      if (warm.users > 0 || !served) continue;
      this.drop(piece);
      return true;
    }
    return false;
  }

  #give(warm: WarmPiece): void {
    this.#bytes -= warm.bytes;
    this.#options.slabs.give(warm.slab);
    this.#options.memory.handleRoom();
  }
}

/** Messages that answer a run of requests, ready to be sent. */
export interface WarmAnswer {
  readonly warm: WarmPiece;
  readonly messages: Uint8Array;
  readonly payload: number;
}
