import { Bitfield } from "../../base/bitfield.ts";
import { invariant } from "../../base/errors.ts";
import type { Geometry } from "../../base/geometry.ts";
import type { Random } from "../../ports/random.ts";
import type { PeerKey } from "./peer-key.ts";
import { Dice } from "./dice.ts";
import { EndGame } from "./end-game.ts";
import type { PickedBlocks } from "./pick-room.ts";
import { PieceChooser, type PickOptions } from "./piece-chooser.ts";
import { PieceLedger, type PieceState } from "./piece-ledger.ts";
import { RECEIVED, type StartedPiece, UNKNOWN_SENDER } from "./started-piece.ts";
import { NOBODY, type PickerPeer, rememberHint, type SwarmPieces } from "./swarm-pieces.ts";
import { UrgentPieces } from "./urgent-pieces.ts";

export type { PickOptions } from "./piece-chooser.ts";
export { PRIORITY_NORMAL } from "./piece-ledger.ts";

/** So much of a piece is thrown away when it came from a stranger who left it at that. */
const FIRST_BLOCKS = 0.25;

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
  /** What readers need soon, which is asked for before everything else. */
  readonly urgent: UrgentPieces;
  readonly #ledger: PieceLedger;
  readonly #swarm: SwarmPieces;
  readonly #chooser: PieceChooser;
  readonly #endGame: EndGame;
  readonly #receipt: { -readonly [K in keyof BlockReceipt]: BlockReceipt[K] } = {
    kind: "unrequested",
    pieceComplete: false,
    alsoAsked: undefined,
  };

  constructor(geometry: Geometry, random: Random) {
    this.#ledger = new PieceLedger(geometry, new Dice(random));
    this.#swarm = this.#ledger.swarm;
    this.#chooser = new PieceChooser(this.#ledger);
    this.#endGame = new EndGame(this.#ledger, this.#chooser);
    this.urgent = new UrgentPieces(this.#ledger, this.#chooser);
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
    return this.#ledger.haveCount;
  }

  state(piece: number): PieceState {
    return this.#ledger.state(piece);
  }

  /**
   * One priority for each piece: 0 unwanted, else 1 to 7, higher first. A started piece that is no
   * longer wanted is not asked for; its blocks stay until `park` or `discard`. O(pieces).
   */
  setPriorities(priorities: Uint8Array): void {
    this.#ledger.setPriorities(priorities);
  }

  /** The same for one piece; O(1) for priorities that are in use already. */
  setPriority(piece: number, priority: number): void {
    this.#ledger.setPriority(piece, priority);
  }

  /** Pieces that are on disk and intact, after a resume or a check. O(pieces). */
  markHave(have: Bitfield): void {
    this.#ledger.markHave(have);
    this.urgent.deadlines.handleChange();
  }

  /** A piece we had is damaged or gone. */
  lost(piece: number): void {
    this.#ledger.lost(piece);
    this.urgent.deadlines.handleChange(piece);
  }

  /**
   * Blocks of an unfinished piece are on disk; the piece starts without memory.
   *
   * @returns True when none is missing: the piece is `received` and awaits its verdict.
   */
  restore(piece: number, blocks: Bitfield): boolean {
    const state = this.#ledger.state(piece);
    if ((state !== "wanted" && state !== "unwanted") || blocks.count === 0) return false;
    if (this.#ledger.isPadding(piece)) return false;
    const started = this.#ledger.open(piece);
    started.parked = true;
    for (const block of blocks.indexes()) {
      if (block < started.blockCount) started.restore(block);
    }
    this.#started.update(started);
    if (started.received === started.blockCount) this.#ledger.finish(started);
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
    const peer = this.#swarm.join(sender);
    peer.suspected = this.#ledger.failed.isDoubtful(sender);
    return peer.key;
  }

  /**
   * The peer left: its requests are free again, its key is used for another. Blocks that only it sent
   * are forgotten when there is reason to doubt them.
   */
  peerGone(peer: PeerKey): void {
    const gone = this.#swarm.get(peer);
    this.#ledger.withdrawAll(gone, true);
    for (const started of this.#started.all()) {
      if (!gone.proven && !started.complete) this.#forgetFirstBlocks(started, gone);
      if (started.owner !== peer) continue;
      started.owner = NOBODY;
      // The next peer starts anew, or a liar who leaves could spoil it time after time (WIR-28).
      if (started.strict && !started.complete) this.#ledger.beginAnew(started, NOBODY);
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

  /** @returns False when that was known. */
  peerHave(peer: PeerKey, piece: number): boolean {
    return this.#swarm.has(this.#swarm.get(peer), piece);
  }

  /** The peer has the piece no longer. */
  peerDontHave(peer: PeerKey, piece: number): void {
    this.#swarm.lacks(this.#swarm.get(peer), piece);
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

  /** Copies of the rarest piece among the connected peers. */
  rarestCopies(): number {
    return this.#swarm.rarestCopies();
  }

  // -- asking ------------------------------------------------------------------------------------

  /**
   * Reserves up to `blocksMax` blocks to ask the peer for, in this order: pieces that readers need,
   * the piece it is at, started pieces, pieces that failed, new ones (a few at random, then the
   * rarest), pieces others would rather fetch alone, and in the end game blocks that one other peer
   * owes us.
   *
   * @returns How many were written to `out`.
   */
  pick(peer: PeerKey, blocksMax: number, out: PickedBlocks, options: PickOptions): number {
    const who = this.#swarm.get(peer);
    if (options.choked || options.snubbed) who.idle = true;
    if (this.#swarm.interesting(who) === 0) return 0;
    this.#chooser.beginRound();
    const isRead = !this.urgent.deadlines.isEmpty && this.urgent.takesPart(who, options);
    let count = isRead ? this.urgent.askFirst(who, { out, count: 0, blocksMax }, options) : 0;
    while (count < blocksMax) {
      const started = this.#chooser.next(who, options);
      if (!started) break;
      count = this.#chooser.askFor(started, who, { out, count, blocksMax });
      who.current = started.piece;
    }
    if (isRead && count < blocksMax) {
      count = this.urgent.askRest(who, { out, count, blocksMax }, options);
    }
    if (count < blocksMax && !options.choked && !options.snubbed && this.#endGame.takesPart(who)) {
      count = this.#endGame.ask(who, { out, count, blocksMax });
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
      const here = this.#ledger.isHad(piece) || started?.state(block) === RECEIVED;
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
      const overtaken = this.#swarm.get(other);
      overtaken.outstanding -= 1;
      overtaken.overtaken += 1;
    }
    who.overtaken = 0;
    who.idle = false;
    started.finish(block, who.sender);
    this.#started.touch(started);
    if (started.received === started.blockCount) this.#ledger.finish(started);
    receipt.kind = "accepted";
    receipt.pieceComplete = started.complete;
    return receipt;
  }

  /** The peer will not send this block (BEP 6), or a cancel was sent to it. */
  rejected(peer: PeerKey, piece: number, block: number): void {
    const started = this.#started.get(piece);
    if (!started?.isAsked(peer, block)) return;
    const who = this.#swarm.get(peer);
    who.outstanding -= 1;
    who.idle = true;
    started.withdraw(peer, block);
    this.#started.update(started);
  }

  /** The peer chokes us, and will answer every request all the same (BEP 6). */
  choked(peer: PeerKey): void {
    this.#swarm.get(peer).idle = true;
  }

  /** The peer forgot all our requests: it choked us, without the fast extension. */
  release(peer: PeerKey): void {
    const who = this.#swarm.get(peer);
    who.idle = true;
    this.#ledger.withdrawAll(who, false);
    this.#disown(peer);
  }

  /**
   * The peer is late. Others may be asked for what it owes us; blocks that still come from it are
   * taken. One it is in the middle of stays its own: a peer that never ends it must be closed.
   */
  snub(peer: PeerKey): void {
    const who = this.#swarm.get(peer);
    who.idle = true;
    if (who.outstanding > 0) {
      for (const started of this.#started.all()) {
        if (started.inFlight === 0) continue;
        for (let block = 0; block < started.blockCount; block += 1) {
          started.giveUpOn(peer, block);
          this.#ledger.forgetDropped(started);
        }
        this.#started.update(started);
      }
    }
    this.#disown(peer);
  }

  // -- the life of a started piece ---------------------------------------------------------------

  /**
   * The hash has judged a `received` piece. Peers that sent blocks of a corrupt one are suspected:
   * they and the piece are from now on dealt with one to one (WIR-12, WIR-13). One that sent all of
   * it is asked only for what nobody else has, until another piece of its is intact.
   */
  verdict(piece: number, intact: boolean): void {
    if (this.#ledger.isPadding(piece)) {
      if (intact) this.#ledger.markPiece(piece);
      this.urgent.deadlines.handleChange(piece);
      return;
    }
    const started = this.#started.get(piece);
    invariant(started?.complete, "only a received piece is judged");
    const { senders } = started;
    const first = senders[0]!;
    // Most pieces come from one peer: looking through them is cheaper than a set.
    const others = senders.every((sender) => sender === first) ? undefined : new Set(senders);
    const alone = others ? UNKNOWN_SENDER : first;
    for (const peer of this.#swarm.peers()) {
      if (others ? !others.has(peer.sender) : peer.sender !== first) continue;
      if (!intact) peer.suspected = true;
      else {
        peer.proven = true;
        if (alone === peer.sender) peer.suspected = false;
      }
    }
    if (intact) {
      this.#ledger.failed.clear(alone);
      this.#ledger.markPiece(piece);
      this.urgent.deadlines.handleChange(piece);
      return;
    }
    if (others || alone !== UNKNOWN_SENDER) {
      this.#ledger.failed.add(piece, alone === UNKNOWN_SENDER ? undefined : alone);
    }
    this.#ledger.giveBack(piece);
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
  receivedPieces(): Iterable<number> {
    return this.#ledger.received();
  }

  /** The piece is started and has memory. */
  isInMemory(piece: number): boolean {
    return this.#started.get(piece)?.parked === false;
  }

  /** And nobody was asked for it. */
  isIdle(piece: number): boolean {
    const started = this.#started.get(piece);
    return started !== undefined && isIdle(started);
  }

  /** Started pieces with memory that nobody was asked for, the longest untouched first. */
  idlePieces(): number[] {
    const idle: StartedPiece[] = [];
    for (const started of this.#started.all()) {
      if (isIdle(started)) idle.push(started);
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
    this.#ledger.withdrawOthers(started, NOBODY);
    started.parked = true;
  }

  /**
   * What was received of a piece is lost, by nobody's fault (the disk refused it). Requests under
   * way for it are forgotten: their blocks will be `unrequested`, also one that is just arriving.
   */
  discard(piece: number): void {
    if (this.#started.get(piece)) this.#ledger.giveBack(piece);
  }

  // -- blocks ------------------------------------------------------------------------------------

  get #started(): PieceLedger["started"] {
    return this.#ledger.started;
  }

  /** Not worth the risk: a wrong one would cost the whole piece once others had completed it (WIR-28). */
  #forgetFirstBlocks(started: StartedPiece, stranger: PickerPeer): void {
    if (started.received === 0 || started.received > started.blockCount * FIRST_BLOCKS) return;
    if (started.receivedFrom(stranger.sender) < started.received) return;
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

function isIdle({ complete, parked, inFlight }: StartedPiece): boolean {
  return !complete && !parked && inFlight === 0;
}
