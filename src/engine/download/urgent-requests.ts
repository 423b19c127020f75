import { PRIORITY_NORMAL, type PiecePicker } from "../picker/piece-picker.ts";
import type { DeadlineSpan } from "../picker/deadlines.ts";
import type { PieceStore } from "../storage/piece-store.ts";
import type { BlockRequests } from "./block-requests.ts";
import type { DownloadPeer } from "./download-peer.ts";
import { AHEAD_MS, adjustDepth, aheadMsRead, isSilent } from "./request-pace.ts";
import type { PieceRange, WantedPieces } from "./wanted-pieces.ts";

/** When a piece is needed within this time, others are asked for what a silent peer owes us of it. */
const SOON_MS = 2000;
/** Requests do not run far ahead while there are readers, and for this long after: the next reader often comes soon. */
const LINGER_MS = 10_000;

export interface UrgentRequestsOptions {
  readonly picker: PiecePicker;
  readonly store: PieceStore;
  readonly wanted: WantedPieces;
  readonly requests: BlockRequests;
  /** All sources of blocks. */
  readonly peers: ReadonlySet<DownloadPeer>;
  /** Checks again whether the peer has something we want. */
  readonly refreshInterest: (peer: DownloadPeer) => void;
}

/**
 * How readers change the requests to peers: their pieces come first, requests do not run far ahead while a reader
 * waits, and the requests for a reader that goes away are taken back.
 */
export class UrgentRequests {
  readonly #options: UrgentRequestsOptions;
  /** Pieces that are no longer wanted while one of their blocks was arriving. */
  readonly #arriving = new Set<number>();
  #isReadUntilMs = 0;

  constructor(options: UrgentRequestsOptions) {
    this.#options = options;
  }

  /** Bytes per second that all peers together send now. */
  bytesPerSecond(now: number): number {
    let sum = 0;
    for (const { rate } of this.#options.peers) sum += rate.bytesPerSecond(now);
    return sum;
  }

  /**
   * A reader begins to read these pieces, which are wanted from now on.
   *
   * @returns Whether some of them were not wanted before.
   */
  open(reader: number, range: PieceRange): boolean {
    const { wanted, picker, peers, refreshInterest } = this.#options;
    const added = wanted.addRead(reader, range);
    for (const piece of added) {
      if (wanted.isWanted(piece)) picker.setPriority(piece, PRIORITY_NORMAL);
    }
    if (added.length > 0) for (const peer of peers) refreshInterest(peer);
    return added.length > 0;
  }

  /** The pieces that the reader needs next. They are requested as soon as a peer can be asked for anything. */
  setSpan(reader: number, span: DeadlineSpan, now: number): void {
    const { picker, peers, requests } = this.#options;
    const isFirst = now >= this.#isReadUntilMs;
    this.#isReadUntilMs = now + LINGER_MS;
    picker.urgent.deadlines.set(reader, span, now);
    if (isFirst) for (const peer of peers) this.#shorten(peer, now);
    for (const peer of peers) requests.refill(peer);
  }

  /** The reader needs nothing at the moment. */
  clearSpan(reader: number): void {
    this.#options.picker.urgent.deadlines.clear(reader);
  }

  /**
   * The reader is gone: its requests are taken back, and pieces that only it wanted are no longer wanted.
   *
   * @returns Whether some pieces are no longer wanted.
   */
  close(reader: number): boolean {
    const { wanted, picker, peers, refreshInterest } = this.#options;
    const { deadlines } = picker.urgent;
    const { first, end } = deadlines.span(reader) ?? { first: 0, end: 0 };
    deadlines.clear(reader);
    const removed = new Set(wanted.removeRead(reader));
    for (const piece of removed) picker.setPriority(piece, 0);
    this.#giveBack(
      (piece) =>
        (piece >= first && piece < end && !deadlines.includes(piece)) || removed.has(piece),
    );
    for (const piece of removed) if (!this.#release(piece)) this.#arriving.add(piece);
    // The next block or tick decides what to request instead: often another reader comes first.
    if (removed.size > 0) for (const peer of peers) refreshInterest(peer);
    return removed.size > 0;
  }

  /** Follows the rate of a peer; readers reduce how far ahead we request. */
  adjustDepth(peer: DownloadPeer, now: number): void {
    adjustDepth(peer, now, now < this.#isReadUntilMs ? aheadMsRead(peer) : AHEAD_MS);
  }

  tick(now: number): void {
    for (const piece of this.#arriving) {
      if (this.#options.wanted.isWanted(piece) || this.#release(piece))
        this.#arriving.delete(piece);
    }
    if (this.#options.picker.urgent.deadlines.isEmpty) return;
    this.#isReadUntilMs = now + LINGER_MS;
    this.#giveUpSilent(now);
  }

  /** Takes back requests that run too far ahead for a waiting reader, so that the peer can be asked for more. */
  #shorten(peer: DownloadPeer, now: number): void {
    if (peer.key === -1) return;
    this.adjustDepth(peer, now);
    const { requests, picker } = this.#options;
    // The peer gets about this far before it is asked again.
    let excess = peer.owed - Math.floor(requests.depth(peer) / 2);
    for (const { piece, block } of Array.from(peer.source.window.newestFirst(peer.lane))) {
      if (excess <= 0) break;
      if (picker.urgent.deadlines.includes(piece)) continue;
      requests.giveBack(peer, piece, block);
      excess -= 1;
    }
  }

  /** Takes back the requests for these pieces. */
  #giveBack(isGiven: (piece: number) => boolean): void {
    const { peers, requests } = this.#options;
    for (const peer of peers) {
      for (const { piece, block } of Array.from(peer.source.window.newestFirst(peer.lane))) {
        if (isGiven(piece)) requests.giveBack(peer, piece, block);
      }
    }
  }

  /**
   * The piece is no longer wanted: writes its blocks to disk and frees its memory. @returns False while a block
   * arrives.
   */
  #release(piece: number): boolean {
    const { picker, store } = this.#options;
    if (picker.state(piece) !== "started") return true;
    if (picker.isIdle(piece) && store.spill(piece, picker.receivedBlocks(piece)!)) {
      picker.park(piece);
      return true;
    }
    return !picker.isInMemory(piece);
  }

  /**
   * Lets others be asked for urgent blocks that a silent peer owes us; a block that still comes from it is accepted.
   * A late block alone is never requested twice: when the line is full that would delay everything.
   */
  #giveUpSilent(now: number): void {
    const { picker, peers } = this.#options;
    const { deadlines } = picker.urgent;
    for (const peer of peers) {
      // Until it sends a block.
      peer.isSilent ||= isSilent(peer, now);
      if (!peer.isSilent || peer.key === -1) continue;
      for (const { piece, block } of peer.source.window.newestFirst(peer.lane)) {
        if (deadlines.dueMs(piece) > now + SOON_MS) continue;
        picker.urgent.giveBack(peer.key, piece, block, "answered");
      }
    }
  }
}
