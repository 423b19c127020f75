import type { Bitfield } from "../../base/bitfield.ts";
import { invariant } from "../../base/errors.ts";
import type { PeerKey } from "./peer-key.ts";
import type { Dice } from "./dice.ts";
import { PieceBits } from "./piece-bits.ts";
import { RarityOrder } from "./rarity-order.ts";

/** In place of a `PeerKey`. */
export const NOBODY = -1;

/** Suggested and allowed-fast pieces remembered for one peer; BEP 6 sends about ten. */
const HINTS_MAX = 64;

/** When a peer has more than this part of all pieces, counting it by sorting all of them again is cheaper. */
const SHIFT_SHARE = 0.1;

/** The picker's record of one peer. */
export class PickerPeer {
  readonly key: PeerKey;
  /** Identifies the origin of its blocks; opaque to the picker. */
  readonly sender: number;
  /**
   * It is a connection to a web server. It gets pieces in a row, because one request brings them all, and no copy of a
   * block that another connection to the same server owes us.
   */
  readonly isServer: boolean;
  /** Pieces by which its run may go on, however rare they are. */
  runLeft = 0;
  /** It has every piece, and is counted once for all of them. */
  everything = false;
  /** The pieces it has, unless that is everything or nothing. */
  pieces: PieceBits | undefined;
  held = 0;
  /** Pieces it has that we want and lack; counted only while `pieces` is set. */
  interesting = 0;
  /** Pieces it has that may be opened; counted only while `pieces` is set. */
  fresh = 0;
  /** A peer that lost a piece is counted piece by piece; otherwise alternating have and lost would cost O(pieces). */
  fickle = false;
  /** Blocks that it was asked for and that we would still accept from it. */
  outstanding = 0;
  /** Blocks it owed us that others sent since its last one. */
  overtaken = 0;
  /** It choked us, was late or rejected a request, and has sent no block since. */
  idle = false;
  /** A piece with one of its blocks was intact. */
  proven = false;
  /** It took part in a corrupt piece, and since then no piece from it alone was intact. */
  suspected = false;
  /** Piece it was last asked for, or -1. */
  current = -1;
  readonly suggested: number[] = [];
  readonly allowedFast: number[] = [];

  constructor(key: PeerKey, sender: number, isServer: boolean) {
    this.key = key;
    this.sender = sender;
    this.isServer = isServer;
  }

  has(piece: number): boolean {
    return this.everything || (this.pieces !== undefined && this.pieces.has(piece));
  }
}

/** The pieces that each peer has, those of them that we lack, and how rare they are; every count is exact at all times. */
export class SwarmPieces {
  readonly rarity: RarityOrder;
  readonly #pieceCount: number;
  /** Wanted pieces that we lack. */
  readonly #lacking: PieceBits;
  #lackingCount = 0;
  readonly #peers: (PickerPeer | undefined)[] = [];
  readonly #freeKeys: PeerKey[] = [];
  /** The peers whose `pieces` is set. */
  readonly #partial: PickerPeer[] = [];
  #complete = 0;

  constructor(pieceCount: number, dice: Dice) {
    this.#pieceCount = pieceCount;
    this.rarity = new RarityOrder(pieceCount, dice);
    this.#lacking = new PieceBits(pieceCount);
  }

  get lackingCount(): number {
    return this.#lackingCount;
  }

  isLacking(piece: number): boolean {
    return this.#lacking.has(piece);
  }

  copies(piece: number): number {
    return this.#complete + this.rarity.copies(piece);
  }

  /** Copies of the rarest piece. */
  rarestCopies(): number {
    return this.#pieceCount === 0 ? 0 : this.#complete + this.rarity.leastCopies;
  }

  /** Pieces that may be opened and that some peer has. */
  get obtainableCount(): number {
    const { listedCount } = this.rarity;
    if (this.#complete > 0 || listedCount === 0) return listedCount;
    return listedCount - this.rarity.listedWithoutCopy;
  }

  join(sender: number, isServer = false): PickerPeer {
    const key = this.#freeKeys.pop() ?? (this.#peers.length as PeerKey);
    const peer = new PickerPeer(key, sender, isServer);
    this.#peers[key] = peer;
    return peer;
  }

  get(key: PeerKey): PickerPeer {
    const peer = this.#peers[key];
    invariant(peer, "the driver forgets a key when its peer is gone");
    return peer;
  }

  find(key: number): PickerPeer | undefined {
    return this.#peers[key];
  }

  *peers(): Generator<PickerPeer> {
    for (const peer of this.#peers) if (peer) yield peer;
  }

  hasProvenPeer(): boolean {
    return this.#peers.some((peer) => peer?.proven);
  }

  leave(peer: PickerPeer): void {
    this.hasNone(peer);
    this.#peers[peer.key] = undefined;
    this.#freeKeys.push(peer.key);
  }

  interesting(peer: PickerPeer): number {
    return peer.everything ? this.#lackingCount : peer.interesting;
  }

  /** Pieces the peer has that may be opened. */
  fresh(peer: PickerPeer): number {
    return peer.everything ? this.rarity.listedCount : peer.fresh;
  }

  hasAll(peer: PickerPeer): void {
    this.hasNone(peer);
    peer.everything = true;
    peer.held = this.#pieceCount;
    this.#complete += 1;
  }

  hasNone(peer: PickerPeer): void {
    if (peer.everything) this.#complete -= 1;
    if (peer.pieces) {
      this.#shift(peer.pieces, peer.held, -1);
      this.#partial.splice(this.#partial.indexOf(peer), 1);
    }
    peer.everything = false;
    peer.pieces = undefined;
    peer.held = 0;
    peer.interesting = 0;
    peer.fresh = 0;
  }

  hasBitfield(peer: PickerPeer, bitfield: Bitfield): void {
    if (bitfield.full) return this.hasAll(peer);
    this.hasNone(peer);
    if (bitfield.count === 0) return;
    const pieces = PieceBits.from(bitfield);
    this.#shift(pieces, bitfield.count, 1);
    this.#count(peer, pieces, bitfield.count);
  }

  /** @returns False when we knew already that it has the piece. */
  has(peer: PickerPeer, piece: number): boolean {
    if (peer.has(piece)) return false;
    if (!peer.pieces) this.#count(peer, new PieceBits(this.#pieceCount), 0);
    peer.pieces!.add(piece);
    peer.held += 1;
    this.rarity.raise(piece);
    if (this.#lacking.has(piece)) peer.interesting += 1;
    if (this.rarity.isListed(piece)) peer.fresh += 1;
    if (peer.held === this.#pieceCount && !peer.fickle) this.#countOnceForAll(peer);
    return true;
  }

  lacks(peer: PickerPeer, piece: number): void {
    if (!peer.has(piece)) return;
    if (peer.everything) this.#countPieceByPiece(peer);
    peer.fickle = true;
    peer.pieces!.delete(piece);
    peer.held -= 1;
    this.rarity.lower(piece);
    if (this.#lacking.has(piece)) peer.interesting -= 1;
    if (this.rarity.isListed(piece)) peer.fresh -= 1;
  }

  setLacking(piece: number, lacking: boolean): void {
    if (this.#lacking.has(piece) === lacking) return;
    const by = lacking ? 1 : -1;
    if (lacking) this.#lacking.add(piece);
    else this.#lacking.delete(piece);
    this.#lackingCount += by;
    for (const peer of this.#partial) if (peer.pieces!.has(piece)) peer.interesting += by;
  }

  list(piece: number): void {
    if (this.rarity.isListed(piece)) return;
    this.rarity.list(piece);
    for (const peer of this.#partial) if (peer.pieces!.has(piece)) peer.fresh += 1;
  }

  unlist(piece: number): void {
    if (!this.rarity.isListed(piece)) return;
    this.rarity.unlist(piece);
    for (const peer of this.#partial) if (peer.pieces!.has(piece)) peer.fresh -= 1;
  }

  /**
   * Determines again for all pieces which ones we lack and which may be opened. O(pieces x partial peers / 32).
   *
   * @param rankOf - As in `RarityOrder.relist`.
   */
  recount(
    rankCount: number,
    isLacking: (piece: number) => boolean,
    rankOf: (piece: number) => number | undefined,
  ): void {
    this.#lacking.clear();
    this.#lackingCount = 0;
    for (let piece = 0; piece < this.#pieceCount; piece += 1) {
      if (!isLacking(piece)) continue;
      this.#lacking.add(piece);
      this.#lackingCount += 1;
    }
    this.rarity.relist(rankCount, rankOf);
    for (const peer of this.#partial) this.#recountPeer(peer);
  }

  #count(peer: PickerPeer, pieces: PieceBits, held: number): void {
    peer.pieces = pieces;
    peer.held = held;
    this.#partial.push(peer);
    this.#recountPeer(peer);
  }

  #recountPeer(peer: PickerPeer): void {
    peer.interesting = peer.pieces!.countCommon(this.#lacking);
    peer.fresh = peer.pieces!.countCommon(this.rarity.listed);
  }

  #shift(pieces: PieceBits, held: number, by: 1 | -1): void {
    if (held > this.#pieceCount * SHIFT_SHARE) {
      this.rarity.shift(pieces, by);
      return;
    }
    for (const piece of pieces.pieces()) {
      if (by === 1) this.rarity.raise(piece);
      else this.rarity.lower(piece);
    }
  }

  #countOnceForAll(peer: PickerPeer): void {
    this.#partial.splice(this.#partial.indexOf(peer), 1);
    this.rarity.shift(peer.pieces!, -1);
    peer.pieces = undefined;
    peer.everything = true;
    this.#complete += 1;
  }

  #countPieceByPiece(peer: PickerPeer): void {
    this.#complete -= 1;
    peer.everything = false;
    const pieces = new PieceBits(this.#pieceCount);
    pieces.fill(this.#pieceCount);
    this.rarity.shift(pieces, 1);
    this.#count(peer, pieces, this.#pieceCount);
  }
}

/** Remembers a suggested or allowed-fast piece; the oldest of too many is forgotten. */
export function rememberHint(hints: number[], piece: number): void {
  if (hints.includes(piece)) return;
  hints.push(piece);
  if (hints.length > HINTS_MAX) hints.shift();
}
