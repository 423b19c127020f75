import type { PeerKey } from "./peer-key.ts";
import { NOBODY } from "./swarm-pieces.ts";

/**
 * The state of a block: free -> asked -> arriving -> received, and back to free when the request ends without the
 * block. A free block may still come from a peer that was given up as late.
 */
export const FREE = 0;
export const ASKED = 1;
/** One peer's payload is being written into memory. */
export const ARRIVING = 2;
export const RECEIVED = 3;

/** No sender to blame: the block was on disk before this run. */
export const UNKNOWN_SENDER = -1;

/**
 * The blocks of one piece between its opening and its verdict: which peers were asked for each, and which sent it.
 * Objects are reused for other pieces, so that opening a piece allocates nothing.
 */
export class StartedPiece {
  piece = -1;
  blockCount = 0;
  free = 0;
  /** Asked and arriving. */
  inFlight = 0;
  arriving = 0;
  received = 0;
  /** Asked blocks that no other peer was asked for, except late ones. */
  single = 0;
  /** The late peer that `askAlso` or `giveUpOn` forgot, to remember another one; or `NOBODY`. */
  dropped: PeerKey | typeof NOBODY = NOBODY;
  /** The peer that is to fetch the piece alone: by preference, or `strict`ly. */
  owner: PeerKey | typeof NOBODY = NOBODY;
  /** Blocks of two peers are never mixed in this piece: one peer sent a wrong block before. */
  strict = false;
  /** Its blocks are on disk, and it has no memory. */
  parked = false;
  /** All blocks are here, and the verdict is pending. */
  complete = false;
  /** Incremented with each reuse. */
  touched = 0;
  /** Position in the list of pieces with free blocks, or -1. */
  openIndex = -1;
  /** The pick that found nothing here for its peer. */
  visit = 0;
  readonly #states: Uint8Array;
  readonly #askedPeers: Int32Array;
  readonly #alsoAsked: Int32Array;
  /** 1 where `#alsoAsked` was given up for being late. */
  readonly #alsoLate: Uint8Array;
  readonly #senders: Int32Array;
  /** No block below this one is free. */
  #firstFree = 0;

  constructor(blocksMax: number) {
    this.#states = new Uint8Array(blocksMax);
    this.#askedPeers = new Int32Array(blocksMax);
    this.#alsoAsked = new Int32Array(blocksMax);
    this.#alsoLate = new Uint8Array(blocksMax);
    this.#senders = new Int32Array(blocksMax);
  }

  open(piece: number, blockCount: number): void {
    this.piece = piece;
    this.blockCount = blockCount;
    this.owner = NOBODY;
    this.strict = false;
    this.parked = false;
    this.complete = false;
    this.free = this.blockCount;
    this.inFlight = 0;
    this.arriving = 0;
    this.received = 0;
    this.single = 0;
    this.#firstFree = 0;
    this.#states.fill(FREE, 0, this.blockCount);
    this.#askedPeers.fill(NOBODY, 0, this.blockCount);
    this.#alsoAsked.fill(NOBODY, 0, this.blockCount);
    this.#alsoLate.fill(0, 0, this.blockCount);
    this.#senders.fill(UNKNOWN_SENDER, 0, this.blockCount);
  }

  state(block: number): number {
    return this.#states[block] ?? FREE;
  }

  /** One per block, `UNKNOWN_SENDER` where unknown; valid while the piece is started. */
  get senders(): Int32Array {
    return this.#senders.subarray(0, this.blockCount);
  }

  /** Blocks this sender sent. */
  receivedFrom(sender: number): number {
    let count = 0;
    for (let block = 0; block < this.blockCount; block += 1) {
      if (this.#senders[block] === sender) count += 1;
    }
    return count;
  }

  /** The peer that was asked for the block first and is not late; or `NOBODY`. */
  asked(block: number): PeerKey | typeof NOBODY {
    return this.#askedPeers[block]! as PeerKey | typeof NOBODY;
  }

  /** The peer that was also asked for it, or is late with it; or `NOBODY`. */
  alsoAsked(block: number): PeerKey | typeof NOBODY {
    return this.#alsoAsked[block]! as PeerKey | typeof NOBODY;
  }

  /** Another peer the block was asked from, or `NOBODY`. */
  otherThan(peer: PeerKey, block: number): PeerKey | typeof NOBODY {
    const asked = this.#askedPeers[block]!;
    return (asked === peer ? this.#alsoAsked[block]! : asked) as PeerKey | typeof NOBODY;
  }

  /** True when we would accept the block from this peer. */
  isAsked(peer: PeerKey, block: number): boolean {
    return (
      block < this.blockCount &&
      (this.#askedPeers[block] === peer || this.#alsoAsked[block] === peer)
    );
  }

  isWriter(peer: PeerKey, block: number): boolean {
    return this.#states[block] === ARRIVING && this.#askedPeers[block] === peer;
  }

  /** free -> asked, for the first block that the peer was not asked for yet. @returns -1 when there is none. */
  ask(peer: PeerKey): number {
    if (this.free === 0) return -1;
    let skipped = false;
    for (let block = this.#firstFree; block < this.blockCount; block += 1) {
      if (this.#states[block] !== FREE) continue;
      if (this.#alsoAsked[block] === peer) {
        if (!skipped) this.#firstFree = block;
        skipped = true;
        continue;
      }
      if (!skipped) this.#firstFree = block + 1;
      this.#states[block] = ASKED;
      this.#askedPeers[block] = peer;
      this.free -= 1;
      this.inFlight += 1;
      this.single += 1;
      return block;
    }
    return -1;
  }

  /**
   * Asks one more peer for the next asked block after `after`.
   *
   * @param isOwn - Whether a peer that was asked for a block is not to be helped.
   * @returns -1 when there is none.
   */
  askAlso(peer: PeerKey, after: number, isOwn?: (asked: number) => boolean): number {
    if (this.single === 0) return -1;
    for (let block = after + 1; block < this.blockCount; block += 1) {
      if (this.#states[block] !== ASKED || !this.#isSingle(block)) continue;
      if (this.#askedPeers[block] === peer || this.#alsoAsked[block] === peer) continue;
      if (isOwn?.(this.#askedPeers[block]!)) continue;
      this.dropped = this.alsoAsked(block);
      this.#setAlso(block, peer, false);
      this.single -= 1;
      return block;
    }
    return -1;
  }

  /** The payload begins to arrive. @returns False when it must not be written. */
  begin(peer: PeerKey, block: number): boolean {
    if (!this.isAsked(peer, block)) return false;
    const state = this.#states[block];
    if (state === ASKED) {
      if (this.#isSingle(block)) this.single -= 1;
      if (this.#alsoAsked[block] === peer) {
        this.#setAlso(block, this.asked(block), false);
        this.#askedPeers[block] = peer;
      }
    } else if (state === FREE) {
      this.#askedPeers[block] = peer;
      this.#setAlso(block, NOBODY, false);
      this.free -= 1;
      this.inFlight += 1;
    } else {
      return false;
    }
    this.#states[block] = ARRIVING;
    this.arriving += 1;
    return true;
  }

  /** arriving -> received. */
  finish(block: number, sender: number): void {
    this.#states[block] = RECEIVED;
    this.#askedPeers[block] = NOBODY;
    this.#setAlso(block, NOBODY, false);
    this.#senders[block] = sender;
    this.arriving -= 1;
    this.inFlight -= 1;
    this.received += 1;
  }

  /** received -> free, for all blocks. */
  forgetReceived(): void {
    for (let block = 0; block < this.blockCount; block += 1) {
      if (this.#states[block] !== RECEIVED) continue;
      this.#states[block] = FREE;
      this.#senders[block] = UNKNOWN_SENDER;
      this.free += 1;
    }
    this.received = 0;
    this.#firstFree = 0;
  }

  /** free -> received, for blocks that were on disk before. */
  restore(block: number): void {
    this.#states[block] = RECEIVED;
    this.free -= 1;
    this.received += 1;
  }

  /** The request to this peer ended without the block. */
  withdraw(peer: PeerKey, block: number): void {
    const state = this.#states[block];
    if (this.#alsoAsked[block] === peer) {
      if (state === ASKED && !this.#isSingle(block)) this.single += 1;
      this.#setAlso(block, NOBODY, false);
      return;
    }
    if (state === ARRIVING) this.arriving -= 1;
    else if (this.#isSingle(block)) this.single -= 1;
    if (this.#isSingle(block)) {
      this.#askedPeers[block] = NOBODY;
      this.#setFree(block);
      return;
    }
    this.#askedPeers[block] = this.#alsoAsked[block]!;
    this.#setAlso(block, NOBODY, false);
    this.#states[block] = ASKED;
    this.single += 1;
  }

  /** The peer is late: others may be asked, and the block is still accepted from it. */
  giveUpOn(peer: PeerKey, block: number): void {
    this.dropped = NOBODY;
    if (this.#states[block] !== ASKED) return;
    if (this.#alsoAsked[block] === peer) {
      if (!this.#isSingle(block)) this.single += 1;
      this.#alsoLate[block] = 1;
      return;
    }
    if (this.#askedPeers[block] !== peer) return;
    const also = this.alsoAsked(block);
    if (this.#isSingle(block)) {
      this.dropped = also;
      this.single -= 1;
      this.#askedPeers[block] = NOBODY;
      this.#setFree(block);
    } else {
      this.#askedPeers[block] = also;
      this.single += 1;
    }
    this.#setAlso(block, peer, true);
  }

  /** No other peer was asked, or only a late one. */
  #isSingle(block: number): boolean {
    return this.#alsoAsked[block] === NOBODY || this.#alsoLate[block] === 1;
  }

  #setAlso(block: number, peer: PeerKey | typeof NOBODY, late: boolean): void {
    this.#alsoAsked[block] = peer;
    this.#alsoLate[block] = late ? 1 : 0;
  }

  #setFree(block: number): void {
    this.#states[block] = FREE;
    this.free += 1;
    this.inFlight -= 1;
    if (block < this.#firstFree) this.#firstFree = block;
  }
}
