import type { Bitfield } from "../../base/bitfield.ts";
import { invariant } from "../../base/errors.ts";
import { BLOCK_BYTES, type Geometry } from "../../base/geometry.ts";
import type { PeerKey } from "./peer-key.ts";
import type { Dice } from "./dice.ts";
import { FailedPieces } from "./failed-pieces.ts";
import { RECEIVED, type StartedPiece } from "./started-piece.ts";
import { StartedPieces } from "./started-pieces.ts";
import { NOBODY, type PickerPeer, SwarmPieces } from "./swarm-pieces.ts";

/** Priorities of pieces run from 0, unwanted, to 7. */
export const PRIORITY_NORMAL = 4;
const PRIORITY_MAX = 7;

export type PieceState = "unwanted" | "wanted" | "started" | "received" | "have";

const MISSING = 0;
const STARTED = 1;
const COMPLETE = 2;
const HAVE = 3;

/**
 * The state of every piece. State changes only here, and with it everything that depends on it: which pieces are
 * listed for opening, which are started, how many we lack.
 *
 *     unwanted <-> wanted -> started -> received -> have
 *                    ^---------+-----------+----------+   giveBack, lost
 */
export class PieceLedger {
  readonly swarm: SwarmPieces;
  readonly started: StartedPieces;
  readonly failed = new FailedPieces();
  readonly #geometry: Geometry;
  readonly #states: Uint8Array;
  readonly #priorities: Uint8Array;
  /** The rank of each priority in use: the highest has rank 0. */
  readonly #rankOfPriority = new Uint8Array(PRIORITY_MAX + 1);
  #inUse: ReadonlySet<number> = new Set();
  readonly #padding: ReadonlySet<number>;
  #haveCount = 0;

  constructor(geometry: Geometry, dice: Dice) {
    const { pieceCount } = geometry;
    this.#geometry = geometry;
    this.swarm = new SwarmPieces(pieceCount, dice);
    this.started = new StartedPieces(
      Math.ceil(Math.min(geometry.pieceLength, geometry.spaceLength) / BLOCK_BYTES),
    );
    this.#states = new Uint8Array(pieceCount);
    this.#priorities = new Uint8Array(pieceCount).fill(PRIORITY_NORMAL);
    this.#padding = paddingPieces(geometry);
    for (const piece of this.#padding) this.#states[piece] = COMPLETE;
    this.#recount();
  }

  get haveCount(): number {
    return this.#haveCount;
  }

  state(piece: number): PieceState {
    switch (this.#states[piece]) {
      case STARTED:
        return "started";
      case COMPLETE:
        return "received";
      case HAVE:
        return "have";
      default:
        return this.#priorities[piece] === 0 ? "unwanted" : "wanted";
    }
  }

  /** Pieces that await their verdict. */
  *received(): Generator<number> {
    for (const piece of this.#padding) if (this.#states[piece] === COMPLETE) yield piece;
    for (const started of this.started.all()) if (started.complete) yield started.piece;
  }

  /** The piece is all padding: no block of it is requested, so there is nothing to give back. */
  isPadding(piece: number): boolean {
    return this.#padding.has(piece);
  }

  isHad(piece: number): boolean {
    return this.#states[piece] === HAVE;
  }

  /** The number of pieces that hold so many bytes, at least one. */
  piecesOf(bytes: number): number {
    return Math.max(1, Math.ceil(bytes / this.#geometry.pieceLength));
  }

  priority(piece: number): number {
    return this.#priorities[piece]!;
  }

  setPriorities(priorities: Uint8Array): void {
    invariant(priorities.length === this.#priorities.length, "there is one priority per piece");
    this.#priorities.set(priorities);
    this.#recount();
  }

  setPriority(piece: number, priority: number): void {
    if (this.#priorities[piece] === priority) return;
    this.#priorities[piece] = priority;
    if (!this.#inUse.has(priority)) {
      this.#recount();
      return;
    }
    this.swarm.unlist(piece);
    const rank = this.#rankToList(piece);
    if (rank !== undefined) {
      this.swarm.rarity.setRank(piece, rank);
      this.swarm.list(piece);
    }
    this.swarm.setLacking(piece, priority !== 0 && this.#states[piece] !== HAVE);
  }

  markHave(have: Bitfield): void {
    for (const piece of have.indexes()) {
      if (this.#states[piece] === HAVE) continue;
      this.#end(piece);
      this.failed.delete(piece);
      this.#states[piece] = HAVE;
      this.#haveCount += 1;
    }
    this.#recount();
  }

  markPiece(piece: number): void {
    if (this.#states[piece] === HAVE) return;
    this.#end(piece);
    this.failed.delete(piece);
    this.swarm.unlist(piece);
    this.#states[piece] = HAVE;
    this.#haveCount += 1;
    this.swarm.setLacking(piece, false);
  }

  lost(piece: number): void {
    if (this.#states[piece] !== HAVE) return;
    this.#haveCount -= 1;
    this.#setMissing(piece);
    this.swarm.setLacking(piece, this.#priorities[piece] !== 0);
  }

  /** wanted -> started. A piece that failed before is `strict` from the start. */
  open(piece: number): StartedPiece {
    invariant(this.#states[piece] === MISSING, "only a missing piece is opened");
    this.#states[piece] = STARTED;
    this.swarm.unlist(piece);
    this.failed.start(piece);
    const started = this.started.start(piece, this.#geometry.blockCount(piece));
    started.strict = this.failed.has(piece);
    return started;
  }

  /** started -> received. */
  finish(started: StartedPiece): void {
    started.complete = true;
    this.#states[started.piece] = COMPLETE;
  }

  /** started or received -> wanted or unwanted: no block of it is left. */
  giveBack(piece: number): void {
    this.#end(piece);
    this.#setMissing(piece);
  }

  /** Forgets the received blocks of a piece, and which peers other than the keeper were asked for it. */
  beginAnew(started: StartedPiece, keeper: PeerKey | typeof NOBODY): void {
    this.withdrawOthers(started, keeper);
    started.forgetReceived();
    this.started.update(started);
  }

  /** Forgets which peers other than the keeper were asked for blocks of the piece. */
  withdrawOthers(started: StartedPiece, keeper: PeerKey | typeof NOBODY): void {
    for (let block = 0; block < started.blockCount; block += 1) {
      if (started.state(block) === RECEIVED) continue;
      for (const peer of [started.asked(block), started.alsoAsked(block)]) {
        if (peer === NOBODY || peer === keeper) continue;
        started.withdraw(peer, block);
        this.swarm.get(peer).outstanding -= 1;
      }
    }
  }

  /** @param gone - Also frees the block that is arriving: no peer writes it any more. */
  withdrawAll(peer: PickerPeer, gone: boolean): void {
    if (peer.outstanding === 0) return;
    for (const started of this.started.all()) {
      for (let block = 0; block < started.blockCount; block += 1) {
        if (!started.isAsked(peer.key, block)) continue;
        if (!gone && started.isWriter(peer.key, block)) continue;
        started.withdraw(peer.key, block);
        peer.outstanding -= 1;
      }
      this.started.update(started);
    }
  }

  /** Another peer was asked in place of one that now owes us one block less. */
  forgetDropped(started: StartedPiece): void {
    if (started.dropped !== NOBODY) this.swarm.get(started.dropped).outstanding -= 1;
  }

  #end(piece: number): void {
    const started = this.started.get(piece);
    if (!started) return;
    this.withdrawOthers(started, NOBODY);
    this.started.end(started);
  }

  /** Back to wanted or unwanted: the piece may be opened again, by one peer alone if it failed before. */
  #setMissing(piece: number): void {
    this.#states[piece] = MISSING;
    if (this.failed.has(piece)) this.failed.wait(piece);
    const rank = this.#rankToList(piece);
    if (rank === undefined) return;
    this.swarm.rarity.setRank(piece, rank);
    this.swarm.list(piece);
  }

  #rankToList(piece: number): number | undefined {
    const priority = this.#priorities[piece]!;
    if (priority === 0 || this.#states[piece] !== MISSING) return undefined;
    // Failed pieces are not opened by rarity, and no peer can send padding blocks.
    if (this.failed.has(piece) || this.#padding.has(piece)) return undefined;
    return this.#rankOfPriority[priority]!;
  }

  #recount(): void {
    const inUse = new Set(this.#priorities);
    this.#inUse = inUse;
    let rankCount = 0;
    for (let priority = PRIORITY_MAX; priority > 0; priority -= 1) {
      this.#rankOfPriority[priority] = rankCount;
      if (inUse.has(priority)) rankCount += 1;
    }
    this.swarm.recount(
      Math.max(1, rankCount),
      (piece) => this.#states[piece] !== HAVE && this.#priorities[piece] !== 0,
      (piece) => this.#rankToList(piece),
    );
  }
}

/** Pieces without a byte to request: only a padding file longer than a piece creates them. */
function paddingPieces(geometry: Geometry): Set<number> {
  const padding = new Set<number>();
  for (const file of geometry.files) {
    if (!file.pad || file.length < geometry.pieceLength) continue;
    const first = Math.floor(file.offset / geometry.pieceLength);
    const last = Math.floor((file.offset + file.length - 1) / geometry.pieceLength);
    for (let piece = first; piece <= last; piece += 1) {
      if (geometry.blockCount(piece) === 0) padding.add(piece);
    }
  }
  return padding;
}
