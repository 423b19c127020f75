import { Bitfield } from "../base/bitfield.ts";
import { invariant } from "../base/errors.ts";
import { BLOCK_BYTES, type Geometry } from "../base/geometry.ts";
import type { Random } from "../ports/random.ts";
import type { PeerKey } from "./peer-key.ts";
import { Dice } from "./picker/dice.ts";
import { FailedPieces } from "./picker/failed-pieces.ts";
import { RECEIVED, type StartedPiece, UNKNOWN_SENDER } from "./picker/started-piece.ts";
import { StartedPieces } from "./picker/started-pieces.ts";
import { NOBODY, type PickerPeer, rememberHint, SwarmPieces } from "./picker/swarm-pieces.ts";

/** File priorities run from 0, unwanted, to 7 (sheet 12). */
export const PRIORITY_NORMAL = 4;
const PRIORITY_MAX = 7;

/** Until so many pieces are here, new ones are taken at random: soon something to trade (BEP 3). */
const RANDOM_FIRST_PIECES = 4;

/** Blocks a peer may owe us when it is given duplicates of what others were asked for. */
const END_GAME_OUTSTANDING_MAX = 8;

export type PieceState = "unwanted" | "wanted" | "started" | "received" | "have";

const MISSING = 0;
const STARTED = 1;
const COMPLETE = 2;
const HAVE = 3;

/** Where `pick` writes; each array holds at least `blocksMax` numbers. */
export interface PickedBlocks {
  readonly pieces: Int32Array;
  readonly blocks: Int32Array;
}

export interface PickOptions {
  /**
   * Asked before blocks of a piece without memory are handed out. On `true` the piece has memory,
   * until its verdict, `park` or `discard`.
   */
  readonly canStart: (piece: number) => boolean;
  /** The peer is fast enough for a whole piece of its own (in about 20 s). */
  readonly whole: boolean;
  /** It let us down: it gets no piece of its own and no duplicates. */
  readonly snubbed: boolean;
  /** It chokes us: only its allowed-fast pieces (BEP 6). */
  readonly choked: boolean;
}

/** What became of a block that arrived. The object is used again for the next one. */
export interface BlockReceipt {
  /**
   * `accepted`: it belongs to the piece now. `duplicate`: we have it, or another peer is writing
   * it. `unrequested`: this peer was not asked. The bytes of the last two were not to be written.
   */
  readonly kind: "accepted" | "duplicate" | "unrequested";
  /** All blocks are here: hash it, then call `verdict`. */
  readonly pieceComplete: boolean;
  /** Another peer that was asked for this block, and no longer is: send it a cancel. */
  readonly alsoAsked: PeerKey | undefined;
}

/**
 * Decides which blocks to ask a peer for. Every piece is in exactly one state:
 *
 *     unwanted <-> wanted -> started -> received -> have
 *                    ^---------+-----------+----------+   discard, verdict false, lost
 *
 * A block is asked from one peer; in the end game from one more. Blocks never arrive twice at the
 * same place: `begin` admits one writer at a time. What it decides depends only on the calls and
 * on `Random`.
 */
export class PiecePicker {
  readonly #geometry: Geometry;
  readonly #swarm: SwarmPieces;
  readonly #dice: Dice;
  readonly #states: Uint8Array;
  readonly #priorities: Uint8Array;
  /** Rank of each priority in use: the highest is 0. */
  readonly #rankOfPriority = new Uint8Array(PRIORITY_MAX + 1);
  readonly #started: StartedPieces;
  readonly #failed = new FailedPieces();
  readonly #receipt: { -readonly [K in keyof BlockReceipt]: BlockReceipt[K] } = {
    kind: "unrequested",
    pieceComplete: false,
    alsoAsked: undefined,
  };
  #haveCount = 0;
  /** Number of the pick under way. */
  #round = 0;
  /** `canStart` said no in this pick. */
  #memoryShort = false;

  constructor(geometry: Geometry, random: Random) {
    this.#geometry = geometry;
    const { pieceCount } = geometry;
    this.#dice = new Dice(random);
    this.#swarm = new SwarmPieces(pieceCount, this.#dice);
    this.#states = new Uint8Array(pieceCount);
    this.#priorities = new Uint8Array(pieceCount).fill(PRIORITY_NORMAL);
    this.#started = new StartedPieces(
      Math.ceil(Math.min(geometry.pieceLength, geometry.spaceLength) / BLOCK_BYTES),
    );
    for (const piece of paddingPieces(geometry)) {
      this.#states[piece] = COMPLETE;
      this.#started.start(piece, 0).complete = true;
    }
    this.#recount();
  }

  // -- what we have and want ---------------------------------------------------------------------

  /** Pieces that are wanted and not had. */
  get missingCount(): number {
    return this.#swarm.lackingCount;
  }

  /** Nothing that is wanted is missing. */
  get complete(): boolean {
    return this.#swarm.lackingCount === 0;
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

  /**
   * One priority for each piece: 0 unwanted, else 1 to 7, higher first. A started piece that is no
   * longer wanted is not asked for; its blocks stay until `park` or `discard`. O(pieces).
   */
  setPriorities(priorities: Uint8Array): void {
    invariant(priorities.length === this.#priorities.length, "there is one priority per piece");
    this.#priorities.set(priorities);
    this.#recount();
  }

  /** Pieces that are on disk and intact, after a resume or a check. O(pieces). */
  markHave(have: Bitfield): void {
    for (const piece of have.indexes()) {
      if (this.#states[piece] === HAVE) continue;
      this.#endStarted(piece);
      this.#states[piece] = HAVE;
      this.#haveCount += 1;
    }
    this.#recount();
  }

  /** One piece was found intact on disk. */
  markPiece(piece: number): void {
    if (this.#states[piece] === HAVE) return;
    this.#endStarted(piece);
    this.#failed.delete(piece);
    this.#swarm.unlist(piece);
    this.#states[piece] = HAVE;
    this.#haveCount += 1;
    this.#swarm.setLacking(piece, false);
  }

  /** A piece we had is damaged or gone. */
  lost(piece: number): void {
    if (this.#states[piece] !== HAVE) return;
    this.#haveCount -= 1;
    this.#setMissing(piece);
    this.#swarm.setLacking(piece, this.#priorities[piece] !== 0);
  }

  /**
   * Blocks of an unfinished piece are on disk; the piece starts without memory.
   *
   * @returns True when none is missing: the piece is `received` and awaits its verdict.
   */
  restore(piece: number, blocks: Bitfield): boolean {
    if (this.#states[piece] !== MISSING || blocks.count === 0) return false;
    const started = this.#open(piece);
    started.parked = true;
    for (const block of blocks.indexes()) {
      if (block < started.blockCount) started.restore(block);
    }
    this.#started.update(started);
    if (started.received === started.blockCount) this.#finish(started);
    return started.complete;
  }

  // -- who has what ------------------------------------------------------------------------------

  /**
   * A peer joins; it has nothing yet.
   *
   * @param sender - Who answers for its blocks (`SmartBan.senderOf`); not negative. Unlike the key
   *   it outlives the connection.
   */
  peerJoined(sender: number): PeerKey {
    return this.#swarm.join(sender).key;
  }

  /** The peer left: its requests are free again, its key is used for another. */
  peerGone(peer: PeerKey): void {
    const gone = this.#swarm.get(peer);
    this.#withdrawAll(gone, true);
    for (const started of this.#started.all()) {
      if (started.owner !== peer) continue;
      started.owner = NOBODY;
      // The next peer starts anew, or a liar who leaves could spoil it time after time (WIR-28).
      if (started.strict && !started.complete) this.#beginAnew(started, NOBODY);
    }
    this.#swarm.leave(gone);
  }

  /** The peer's bitfield. */
  peerHas(peer: PeerKey, bitfield: Bitfield): void {
    this.#swarm.hasBitfield(this.#swarm.get(peer), bitfield);
  }

  peerHasAll(peer: PeerKey): void {
    this.#swarm.hasAll(this.#swarm.get(peer));
  }

  peerHasNone(peer: PeerKey): void {
    this.#swarm.hasNone(this.#swarm.get(peer));
  }

  /** @returns False when that was known. */
  peerHave(peer: PeerKey, piece: number): boolean {
    return this.#swarm.has(this.#swarm.get(peer), piece);
  }

  /** The peer has the piece no longer. */
  peerDontHave(peer: PeerKey, piece: number): void {
    this.#swarm.lacks(this.#swarm.get(peer), piece);
  }

  peerHasPiece(peer: PeerKey, piece: number): boolean {
    return this.#swarm.get(peer).has(piece);
  }

  /** How many pieces the peer has. */
  peerHeldCount(peer: PeerKey): number {
    return this.#swarm.get(peer).held;
  }

  /** A hint (BEP 6): the piece wins among equally rare ones. */
  peerSuggests(peer: PeerKey, piece: number): void {
    rememberHint(this.#swarm.get(peer).suggested, piece);
  }

  /** The piece may be asked for while the peer chokes us (BEP 6). */
  peerAllowsFast(peer: PeerKey, piece: number): void {
    rememberHint(this.#swarm.get(peer).allowedFast, piece);
  }

  /** True when the peer has a piece that we want and lack. */
  isInteresting(peer: PeerKey): boolean {
    return this.#swarm.interesting(this.#swarm.get(peer)) > 0;
  }

  /** True when a piece it sent a block of was intact: no stranger any more. */
  isProven(peer: PeerKey): boolean {
    return this.#swarm.get(peer).proven;
  }

  /** True when the block would be taken from the peer: it was asked, even if it is late. */
  owes(peer: PeerKey, piece: number, block: number): boolean {
    return this.#started.get(piece)?.isAsked(peer, block) ?? false;
  }

  /** How many blocks the peer owes us. */
  outstanding(peer: PeerKey): number {
    return this.#swarm.get(peer).outstanding;
  }

  /** Connected peers that have the piece. */
  copies(piece: number): number {
    return this.#swarm.copies(piece);
  }

  /** Copies of the rarest piece among the connected peers. O(pieces). */
  rarestCopies(): number {
    let least = Number.POSITIVE_INFINITY;
    for (let piece = 0; piece < this.#states.length; piece += 1) {
      least = Math.min(least, this.#swarm.copies(piece));
    }
    return Number.isFinite(least) ? least : 0;
  }

  // -- asking ------------------------------------------------------------------------------------

  /**
   * Reserves up to `blocksMax` blocks to ask the peer for, in this order: the piece it is at,
   * started pieces, pieces that failed, new ones (a few at random, then the rarest), pieces others
   * would rather fetch alone, and in the end game blocks that one other peer owes us.
   *
   * @returns How many were written to `out`.
   */
  pick(peer: PeerKey, blocksMax: number, out: PickedBlocks, options: PickOptions): number {
    const who = this.#swarm.get(peer);
    if (this.#swarm.interesting(who) === 0) return 0;
    this.#round += 1;
    this.#memoryShort = false;
    let count = 0;
    while (count < blocksMax) {
      const started = options.choked
        ? this.#nextAllowedFast(who, options)
        : this.#nextPiece(who, options);
      if (!started) break;
      count = this.#askFor(started, who, { out, count, blocksMax });
    }
    if (count < blocksMax && !options.choked && !options.snubbed && !who.suspected) {
      count = this.#askInEndGame(who, { out, count, blocksMax });
    }
    return count;
  }

  /**
   * The head of a block arrived.
   *
   * @returns True when its payload is to be written to the piece's memory: the peer was asked, and
   *   nobody else is writing it. Until `received`, or until the peer is gone, the place is its own.
   */
  begin(peer: PeerKey, piece: number, block: number): boolean {
    const started = this.#started.get(piece);
    if (!started || started.parked || !started.begin(peer, block)) return false;
    this.#started.update(started);
    return true;
  }

  /** A block has arrived whole. */
  received(peer: PeerKey, piece: number, block: number): BlockReceipt {
    const receipt = this.#receipt;
    receipt.pieceComplete = false;
    receipt.alsoAsked = undefined;
    const who = this.#swarm.get(peer);
    const started = this.#started.get(piece);
    if (!started?.isAsked(peer, block)) {
      const here = this.#states[piece] === HAVE || started?.state(block) === RECEIVED;
      receipt.kind = here ? "duplicate" : "unrequested";
      return receipt;
    }
    who.outstanding -= 1;
    if (!started.isWriter(peer, block) && !this.begin(peer, piece, block)) {
      started.withdraw(peer, block);
      this.#started.update(started);
      receipt.kind = "duplicate";
      return receipt;
    }
    const other = started.otherThan(peer, block);
    if (other !== NOBODY) {
      receipt.alsoAsked = other;
      this.#swarm.get(other).outstanding -= 1;
    }
    started.finish(block, who.sender);
    this.#started.touch(started);
    if (started.received === started.blockCount) this.#finish(started);
    receipt.kind = "accepted";
    receipt.pieceComplete = started.complete;
    return receipt;
  }

  /** The peer will not send this block (BEP 6), or a cancel was sent to it. */
  rejected(peer: PeerKey, piece: number, block: number): void {
    const started = this.#started.get(piece);
    if (!started?.isAsked(peer, block)) return;
    this.#swarm.get(peer).outstanding -= 1;
    started.withdraw(peer, block);
    this.#started.update(started);
  }

  /** The peer forgot all our requests: it choked us, without the fast extension. */
  release(peer: PeerKey): void {
    const who = this.#swarm.get(peer);
    this.#withdrawAll(who, false);
    this.#disown(peer);
  }

  /**
   * The peer is late. Others may be asked for what it owes us; blocks that still come from it are
   * taken. One it is in the middle of stays its own: a peer that never ends it must be closed.
   */
  snub(peer: PeerKey): void {
    const who = this.#swarm.get(peer);
    if (who.outstanding > 0) {
      for (const started of this.#started.all()) {
        if (started.inFlight === 0) continue;
        for (let block = 0; block < started.blockCount; block += 1) started.giveUpOn(peer, block);
        this.#started.update(started);
      }
    }
    this.#disown(peer);
  }

  // -- the life of a started piece ---------------------------------------------------------------

  /**
   * The hash has judged a `received` piece. Peers that sent blocks of a corrupt one are suspected:
   * they and the piece are from now on dealt with one to one (WIR-12, WIR-13).
   */
  verdict(piece: number, intact: boolean): void {
    const started = this.#started.get(piece);
    invariant(started?.complete, "only a received piece is judged");
    // Padding only: no peer could send it better.
    if (started.blockCount === 0 && !intact) return;
    const senders = new Set(started.senders);
    const alone = senders.size === 1 ? started.senders[0]! : UNKNOWN_SENDER;
    for (const peer of this.#swarm.peers()) {
      if (!senders.has(peer.sender)) continue;
      if (!intact) peer.suspected = true;
      else {
        peer.proven = true;
        if (alone === peer.sender) peer.suspected = false;
      }
    }
    if (intact) return this.markPiece(piece);
    this.#endStarted(piece);
    if (senders.size > 1 || alone !== UNKNOWN_SENDER) {
      this.#failed.add(piece, alone === UNKNOWN_SENDER ? undefined : alone);
    }
    this.#setMissing(piece);
  }

  /** Who sent each block of a started or received piece; -1 when unknown. Valid until the next call. */
  senders(piece: number): Int32Array | undefined {
    return this.#started.get(piece)?.senders;
  }

  /** Blocks received of a started piece. */
  receivedCount(piece: number): number {
    return this.#started.get(piece)?.received ?? 0;
  }

  /** The blocks received of a started piece. */
  receivedBlocks(piece: number): Bitfield | undefined {
    const started = this.#started.get(piece);
    if (!started) return undefined;
    const blocks = new Bitfield(started.blockCount);
    for (let block = 0; block < started.blockCount; block += 1) {
      if (started.state(block) === RECEIVED) blocks.add(block);
    }
    return blocks;
  }

  /** Started pieces, with or without memory, in the order they were opened. */
  *startedPieces(): Generator<number> {
    for (const started of this.#started.all()) if (!started.complete) yield started.piece;
  }

  /** Pieces that await their verdict. In a new picker: those that are all padding. */
  *receivedPieces(): Generator<number> {
    for (const started of this.#started.all()) if (started.complete) yield started.piece;
  }

  /** Started pieces with memory that nobody was asked for, the longest untouched first. */
  idlePieces(): number[] {
    const idle: StartedPiece[] = [];
    for (const started of this.#started.all()) {
      if (!started.complete && !started.parked && started.inFlight === 0) idle.push(started);
    }
    return idle.sort((a, b) => a.touched - b.touched).map((started) => started.piece);
  }

  /**
   * The memory of an idle piece is given away: what was received of it is on disk now, and `pick`
   * asks `canStart` before it goes on. A piece of which nothing was received is no longer started.
   */
  park(piece: number): void {
    const started = this.#started.get(piece);
    invariant(started && !started.complete, "only a started piece is parked");
    invariant(started.inFlight === 0, "only an idle piece is parked");
    if (started.received === 0) return this.discard(piece);
    this.#withdrawEverybody(started);
    started.parked = true;
  }

  /**
   * What was received of a piece is lost, by nobody's fault (the disk refused it). Requests under
   * way for it are forgotten: their blocks will be `unrequested`, also one that is just arriving.
   */
  discard(piece: number): void {
    if (!this.#started.get(piece)) return;
    this.#endStarted(piece);
    this.#setMissing(piece);
  }

  // -- states ------------------------------------------------------------------------------------

  #open(piece: number): StartedPiece {
    this.#states[piece] = STARTED;
    this.#swarm.unlist(piece);
    this.#failed.start(piece);
    const started = this.#started.start(piece, this.#geometry.blockCount(piece));
    started.strict = this.#failed.has(piece);
    return started;
  }

  #finish(started: StartedPiece): void {
    started.complete = true;
    this.#states[started.piece] = COMPLETE;
  }

  #endStarted(piece: number): void {
    const started = this.#started.get(piece);
    if (!started) return;
    this.#withdrawEverybody(started);
    this.#started.end(started);
  }

  /** Back to wanted, or unwanted: it may be opened again, when it failed before by one peer alone. */
  #setMissing(piece: number): void {
    this.#states[piece] = MISSING;
    if (this.#failed.has(piece)) this.#failed.wait(piece);
    const rank = this.#rankToList(piece);
    if (rank === undefined) return;
    this.#swarm.rarity.setRank(piece, rank);
    this.#swarm.list(piece);
  }

  #rankToList(piece: number): number | undefined {
    const priority = this.#priorities[piece]!;
    if (priority === 0 || this.#states[piece] !== MISSING || this.#failed.has(piece))
      return undefined;
    return this.#rankOfPriority[priority]!;
  }

  #recount(): void {
    const inUse = new Set(this.#priorities);
    let rankCount = 0;
    for (let priority = PRIORITY_MAX; priority > 0; priority -= 1) {
      this.#rankOfPriority[priority] = rankCount;
      if (inUse.has(priority)) rankCount += 1;
    }
    this.#swarm.recount(
      Math.max(1, rankCount),
      (piece) => this.#states[piece] !== HAVE && this.#priorities[piece] !== 0,
      (piece) => this.#rankToList(piece),
    );
  }

  // -- choosing a piece --------------------------------------------------------------------------

  #nextPiece(who: PickerPeer, options: PickOptions): StartedPiece | undefined {
    const alone = !options.snubbed && (options.whole || !who.proven || who.suspected);
    const current = this.#started.get(who.current);
    if (current && !current.parked && this.#fits(current, who)) {
      if (!alone || current.owner === who.key) return current;
    }
    const best = this.#bestOpen(who, alone, false);
    if (best && this.#wake(best, options)) return this.#adopt(best, who, alone);
    const fresh = this.#startFailed(who, options) ?? this.#startFresh(who, options);
    if (fresh) return this.#adopt(fresh, who, alone);
    const shared = this.#bestOpen(who, alone, true);
    if (shared && this.#wake(shared, options)) return this.#adopt(shared, who, false);
    return this.#lastResort(who, options);
  }

  /** True when blocks of the piece may be asked from this peer, whoever else fetches it. */
  #fits(started: StartedPiece, who: PickerPeer): boolean {
    const { piece, owner } = started;
    if (started.free === 0 || started.visit === this.#round) return false;
    if (!who.has(piece) || this.#priorities[piece] === 0) return false;
    if (started.parked && this.#memoryShort) return false;
    if (owner === who.key) return true;
    if (started.strict) return owner === NOBODY && !this.#failed.isBlamed(piece, who.sender);
    return !who.suspected || (owner === NOBODY && started.received === 0 && started.inFlight === 0);
  }

  /**
   * The started piece to go on with: one's own, else by priority, else the nearest to its end.
   *
   * @param alone - For a peer that should not mix with others.
   * @param intrude - Also pieces that somebody else, or this peer, would rather fetch alone.
   */
  #bestOpen(who: PickerPeer, alone: boolean, intrude: boolean): StartedPiece | undefined {
    let best: StartedPiece | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const started of this.#started.open) {
      if (!this.#fits(started, who)) continue;
      const own = started.owner === who.key;
      if (!own && !intrude) {
        if (started.owner !== NOBODY) continue;
        // A stranger does not go on with what others began, it would put their work at risk.
        if (alone && (started.inFlight > 0 || (!who.proven && started.received > 0))) continue;
      }
      const score =
        (own ? 1e12 : 0) +
        this.#priorities[started.piece]! * 1e9 -
        started.free * 2 -
        (started.parked ? 1 : 0);
      if (score <= bestScore) continue;
      best = started;
      bestScore = score;
    }
    return best;
  }

  #adopt(started: StartedPiece, who: PickerPeer, alone: boolean): StartedPiece {
    if (started.owner !== NOBODY) return started;
    if (who.suspected) {
      started.strict = true;
      this.#beginAnew(started, who.key);
    }
    if (alone || started.strict) started.owner = who.key;
    return started;
  }

  #wake(started: StartedPiece, options: PickOptions): boolean {
    if (!started.parked) return true;
    started.parked = !this.#hasMemory(started.piece, options);
    return !started.parked;
  }

  #hasMemory(piece: number, options: PickOptions): boolean {
    if (!this.#memoryShort) this.#memoryShort = !options.canStart(piece);
    return !this.#memoryShort;
  }

  #startFailed(who: PickerPeer, options: PickOptions): StartedPiece | undefined {
    for (const piece of this.#failed.waiting) {
      if (!who.has(piece) || this.#priorities[piece] === 0) continue;
      if (this.#failed.isBlamed(piece, who.sender)) continue;
      return this.#hasMemory(piece, options) ? this.#open(piece) : undefined;
    }
    return undefined;
  }

  #startFresh(who: PickerPeer, options: PickOptions): StartedPiece | undefined {
    if (this.#memoryShort || this.#swarm.fresh(who) === 0) return undefined;
    const { rarity } = this.#swarm;
    const holder = who.everything ? undefined : who.pieces;
    const byChance = options.snubbed || this.#haveCount < RANDOM_FIRST_PIECES;
    const found = byChance ? rarity.random(holder) : rarity.rarest(holder);
    if (found < 0) return undefined;
    const piece = this.#suggestedBefore(who, found) ?? found;
    return this.#hasMemory(piece, options) ? this.#open(piece) : undefined;
  }

  #suggestedBefore(who: PickerPeer, found: number): number | undefined {
    const { rarity } = this.#swarm;
    return who.suggested.find(
      (piece) => rarity.isListed(piece) && who.has(piece) && rarity.notAfter(piece, found),
    );
  }

  /** For a peer that has nothing else to do. */
  #lastResort(who: PickerPeer, options: PickOptions): StartedPiece | undefined {
    for (const started of this.#started.all()) {
      // Its owner must not mix with others and does nothing: it chokes us, or it is late.
      if (!started.strict || started.complete || started.inFlight > 0) continue;
      if (started.owner === who.key || !who.has(started.piece)) continue;
      if (this.#priorities[started.piece] === 0) continue;
      if (this.#failed.isBlamed(started.piece, who.sender)) continue;
      if (started.visit === this.#round || !this.#wake(started, options)) continue;
      this.#beginAnew(started, who.key);
      started.owner = who.key;
      return started;
    }
    for (const piece of this.#failed.waiting) {
      if (!who.has(piece) || this.#priorities[piece] === 0) continue;
      if (this.#failed.isHopeless(piece, who.sender) || this.#hasOtherSource(piece, who)) continue;
      if (!this.#hasMemory(piece, options)) return undefined;
      return this.#adopt(this.#open(piece), who, true);
    }
    return undefined;
  }

  /** True when somebody has the piece who never delivered it corrupt. */
  #hasOtherSource(piece: number, who: PickerPeer): boolean {
    for (const peer of this.#swarm.peers()) {
      if (peer !== who && peer.has(piece) && !this.#failed.isBlamed(piece, peer.sender))
        return true;
    }
    return false;
  }

  #nextAllowedFast(who: PickerPeer, options: PickOptions): StartedPiece | undefined {
    for (const piece of who.allowedFast) {
      const started = this.#started.get(piece);
      if (started) {
        if (this.#fits(started, who) && this.#wake(started, options)) {
          return this.#adopt(started, who, false);
        }
      } else if (
        who.has(piece) &&
        this.#swarm.rarity.isListed(piece) &&
        this.#hasMemory(piece, options)
      ) {
        return this.#adopt(this.#open(piece), who, true);
      }
    }
    return undefined;
  }

  // -- blocks ------------------------------------------------------------------------------------

  #askFor(started: StartedPiece, who: PickerPeer, room: PickRoom): number {
    let { count } = room;
    while (count < room.blocksMax) {
      const block = started.ask(who.key);
      if (block < 0) {
        started.visit = this.#round;
        break;
      }
      room.out.pieces[count] = started.piece;
      room.out.blocks[count] = block;
      count += 1;
    }
    who.outstanding += count - room.count;
    who.current = started.piece;
    this.#started.touch(started);
    this.#started.update(started);
    return count;
  }

  /** Every block that can be had is asked for: asks this peer too for what others owe us. */
  #askInEndGame(who: PickerPeer, room: PickRoom): number {
    if (this.#swarm.obtainableCount > 0) return room.count;
    for (const started of this.#started.open) {
      if (!started.strict && this.#priorities[started.piece] !== 0) {
        if (this.#swarm.copies(started.piece) > 0) return room.count;
      }
    }
    const roomLeft = END_GAME_OUTSTANDING_MAX - who.outstanding;
    const blocksMax = Math.min(room.blocksMax, room.count + roomLeft);
    let { count } = room;
    for (const started of this.#started.all()) {
      if (count >= blocksMax) break;
      if (started.strict || started.single === 0) continue;
      if (!who.has(started.piece) || this.#priorities[started.piece] === 0) continue;
      let block = started.askAlso(who.key, -1);
      while (block >= 0) {
        room.out.pieces[count] = started.piece;
        room.out.blocks[count] = block;
        count += 1;
        if (count >= blocksMax) break;
        block = started.askAlso(who.key, block);
      }
    }
    who.outstanding += count - room.count;
    return count;
  }

  /** @param gone - Also the block that is arriving: nobody writes it any more. */
  #withdrawAll(who: PickerPeer, gone: boolean): void {
    if (who.outstanding === 0) return;
    for (const started of this.#started.all()) {
      for (let block = 0; block < started.blockCount; block += 1) {
        if (!started.isAsked(who.key, block)) continue;
        if (!gone && started.isWriter(who.key, block)) continue;
        started.withdraw(who.key, block);
        who.outstanding -= 1;
      }
      this.#started.update(started);
    }
  }

  /** Forgets who was asked for the blocks of a piece. */
  #withdrawEverybody(started: StartedPiece): void {
    for (let block = 0; block < started.blockCount; block += 1) {
      if (started.state(block) === RECEIVED) continue;
      for (const peer of [started.asked(block), started.alsoAsked(block)]) {
        if (peer !== NOBODY) this.#withdraw(started, peer, block);
      }
    }
  }

  #withdraw(started: StartedPiece, peer: PeerKey, block: number): void {
    started.withdraw(peer, block);
    this.#swarm.get(peer).outstanding -= 1;
  }

  /** Forgets what was received of a piece, and who but the keeper was asked for it. */
  #beginAnew(started: StartedPiece, keeper: PeerKey | typeof NOBODY): void {
    for (let block = 0; block < started.blockCount; block += 1) {
      for (const peer of [started.asked(block), started.alsoAsked(block)]) {
        if (peer !== NOBODY && peer !== keeper) this.#withdraw(started, peer, block);
      }
    }
    started.forgetReceived();
    this.#started.update(started);
  }

  /** Others may go on with the pieces the peer had for itself. */
  #disown(peer: PeerKey): void {
    for (const started of this.#started.all()) {
      if (started.owner === peer && !started.strict) started.owner = NOBODY;
    }
  }
}

interface PickRoom {
  readonly out: PickedBlocks;
  /** Blocks already written. */
  readonly count: number;
  readonly blocksMax: number;
}

/** Pieces without a byte that could be asked for: only a padding file longer than a piece makes them. */
function paddingPieces(geometry: Geometry): number[] {
  const padding: number[] = [];
  for (const file of geometry.files) {
    if (!file.pad || file.length < geometry.pieceLength) continue;
    const first = Math.floor(file.offset / geometry.pieceLength);
    const last = Math.floor((file.offset + file.length - 1) / geometry.pieceLength);
    for (let piece = first; piece <= last; piece += 1) {
      if (geometry.blockCount(piece) === 0) padding.push(piece);
    }
  }
  return padding;
}
