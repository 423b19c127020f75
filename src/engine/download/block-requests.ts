import { BLOCK_BYTES, type Geometry } from "../../base/geometry.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PeerKey } from "../picker/peer-key.ts";
import type { PiecePicker } from "../picker/piece-picker.ts";
import type { MemoryShare } from "../sharing/memory-share.ts";
import type { RateBudget } from "../sharing/rate-share.ts";
import type { PieceStore } from "../storage/piece-store.ts";
import type { DownloadPeer } from "./download-peer.ts";
import { requestDepth } from "./request-pace.ts";

/** A peer gets its own pieces when it can deliver one within this time. */
const WHOLE_PIECE_MS = 20_000;
/**
 * While more bytes than this are being judged and written, no new piece is opened: enough to keep the workers busy, and
 * little enough to stay in the processor's cache until a worker gets to them.
 */
const JUDGING_BYTES_MAX = 8 * 1024 * 1024;
/** Each peer is asked at once for what it sends in this time of a piece that a reader waits for. */
const SOON_MS = 600;
/** Blocks requested at once. */
const PICK_MAX = 512;

export interface BlockRequestsOptions {
  readonly geometry: Geometry;
  readonly picker: PiecePicker;
  readonly store: PieceStore;
  readonly limit: RateBudget;
  readonly memory: MemoryShare;
  readonly requestQueueMax: number;
  readonly clock: Pick<Clock, "nowMs">;
}

/**
 * Requests blocks from peers: from each as many as its rate deserves, as far as there is memory for their pieces and
 * the rate limit allows. Peers that lacked either are asked as soon as it is available.
 */
export class BlockRequests {
  readonly #options: BlockRequestsOptions;
  readonly #picked = { pieces: new Int32Array(PICK_MAX), blocks: new Int32Array(PICK_MAX) };
  readonly #starvedOfMemory = new Set<DownloadPeer>();
  readonly #starvedOfRate = new Set<DownloadPeer>();
  #memoryShort = false;
  /** And the memory that ran short is shared by all torrents. */
  #poolShort = false;
  #judgingBytes = 0;
  #judgedCount = 0;
  /** Slabs returned plus pieces judged, at the last check of which peers can be asked. */
  #seenCount = 0;
  #paused = false;

  constructor(options: BlockRequestsOptions) {
    this.#options = options;
  }

  /** Stops all requests until `resume`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  /** The peer leaves. */
  forget(peer: DownloadPeer): void {
    this.#starvedOfMemory.delete(peer);
    this.#starvedOfRate.delete(peer);
  }

  /** This many bytes of a piece wait for their verdict. */
  handleJudging(bytes: number): void {
    this.#judgingBytes += bytes;
  }

  handleJudged(bytes: number): void {
    this.#judgingBytes -= bytes;
    this.#judgedCount += 1;
  }

  /** Requests as many blocks from the peer as it may owe us. */
  refill(peer: DownloadPeer): void {
    if (this.#paused || peer.key === -1 || !peer.source.isOpen) return;
    if (peer.isChoking && peer.allowedFast.size === 0) return;
    const depth = this.depth(peer);
    const { limit, picker, geometry } = this.#options;
    // Requesting in batches of half a window costs one write, not one for each block.
    const { owed } = peer;
    if (owed * 2 > depth) return;
    const now = this.#options.clock.nowMs();
    const allowed = Math.floor(limit.available(now) / BLOCK_BYTES);
    const { window } = peer.source;
    const room = window.room(peer.lane);
    const isShort = room < depth - owed;
    const wanted = Math.min(depth - owed, room, PICK_MAX);
    if (isShort && room === 0) window.wait(peer.lane);
    if (wanted <= 0) return;
    if (allowed <= 0) {
      this.#starvedOfRate.add(peer);
      limit.wait(now);
      return;
    }
    this.#memoryShort = false;
    this.#poolShort = false;
    const rate = peer.rate.bytesPerSecond(now);
    const count = picker.pick(peer.key, Math.min(wanted, allowed), this.#picked, {
      canStart: (piece) => this.#canStart(piece),
      whole: (rate * WHOLE_PIECE_MS) / 1000 >= geometry.pieceLength,
      soonBlocks: Math.floor((rate * SOON_MS) / 1000 / BLOCK_BYTES),
      snubbed: peer.snubbed,
      silent: peer.isSilent,
      choked: peer.isChoking,
    });
    if (this.#memoryShort) this.#starvedOfMemory.add(peer);
    // Without pieces at the disk, memory is full of pieces that peers are still sending.
    if (this.#memoryShort && this.#judgingBytes > 0) this.#options.memory.handleHeld(now);
    if (this.#poolShort) this.#options.memory.wait();
    if (count > 0) this.#ask(peer, count, now);
    // More room would have allowed more requests.
    if (isShort && count === room) window.wait(peer.lane);
    // A peer that the limit held back keeps its place in the queue.
    if (allowed < wanted && count === allowed && limit.isContended) {
      this.#starvedOfRate.add(peer);
      limit.wait(now);
    }
  }

  #ask(peer: DownloadPeer, count: number, now: number): void {
    const { source, lane } = peer;
    const { pieces, blocks } = this.#picked;
    if (peer.owed === 0) {
      peer.lastBlockAtMs = now;
      peer.askedIdleAtMs = now;
    }
    let bytes = 0;
    for (let i = 0; i < count;) {
      const piece = pieces[i]!;
      const first = blocks[i]!;
      let run = 0;
      let length = 0;
      do {
        source.window.add(piece, first + run, lane);
        length += this.#options.geometry.blockSize(piece, first + run);
        run += 1;
        i += 1;
      } while (
        i < count &&
        run < source.runBlocksMax &&
        pieces[i] === piece &&
        blocks[i] === first + run
      );
      source.request(piece, first, run, length);
      bytes += length;
    }
    this.#options.limit.take(bytes, now);
  }

  /** Takes a request back, so that other peers may be asked for the block. A block that is arriving continues. */
  giveBack(peer: DownloadPeer, piece: number, block: number): void {
    if (peer.key === -1) return;
    if (peer.target && peer.targetPiece === piece && peer.targetBlock === block) return;
    const { picker, geometry } = this.#options;
    const outcome = peer.source.cancel(piece, block, geometry.blockSize(piece, block));
    const { window } = peer.source;
    if (outcome === "forgotten") window.take(piece, block, peer.lane);
    else window.giveBack(piece, block, peer.lane);
    picker.urgent.giveBack(peer.key, piece, block, outcome);
  }

  #canStart(piece: number): boolean {
    if (this.#judgingBytes > JUDGING_BYTES_MAX) {
      this.#memoryShort = true;
      return false;
    }
    const { memory, clock, store } = this.#options;
    if (memory.mayTry()) {
      if (store.open(piece)) {
        memory.take(clock.nowMs());
        return true;
      }
      memory.handleShort();
      this.spillIdle();
    }
    this.#memoryShort = true;
    this.#poolShort = true;
    return false;
  }

  /**
   * Writes the piece that has been idle longest to disk; its memory is returned when it is written.
   *
   * @returns False when no piece is idle.
   */
  spillIdle(): boolean {
    for (const idle of this.#options.picker.idlePieces()) {
      // Pieces that are on disk already have no memory to free.
      if (!this.#options.store.spill(idle, this.#options.picker.receivedBlocks(idle)!)) continue;
      this.#options.picker.park(idle);
      return true;
    }
    return false;
  }

  /** Blocks that the peer may owe us. */
  depth(peer: DownloadPeer): number {
    const isProven = this.#options.picker.isProven(peer.key as PeerKey);
    return requestDepth(peer, isProven, this.#options.requestQueueMax);
  }

  /** Called when a burst is over: asks the peers that lacked memory, if some was returned meanwhile. */
  settle(): void {
    const count = this.#options.store.returnedCount + this.#judgedCount;
    if (count === this.#seenCount) return;
    this.#seenCount = count;
    this.handleMemory();
    if (this.#starvedOfMemory.size === 0) this.#options.memory.stopWaiting();
  }

  /** It is our turn at the shared memory. @returns Whether peers could be asked for more if there were more memory. */
  handleMemory(): boolean {
    const starved = Array.from(this.#starvedOfMemory);
    this.#starvedOfMemory.clear();
    for (const peer of starved) this.refill(peer);
    return this.#starvedOfMemory.size > 0;
  }

  /** The rate limit allows more. @returns Whether peers still wait for it. */
  handleAllowance(now: number): boolean {
    const { limit } = this.#options;
    for (const peer of Array.from(this.#starvedOfRate)) {
      if (limit.available(now) < BLOCK_BYTES) break;
      this.#starvedOfRate.delete(peer);
      this.refill(peer);
    }
    return this.#starvedOfRate.size > 0;
  }
}
