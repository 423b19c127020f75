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

/** Up to this much of a piece is discarded when a stranger sent it and left. */
const FIRST_BLOCKS = 0.25;

/** The result of a block that arrived. The object is reused for the next block. */
export interface BlockReceipt {
  /**
   * `accepted`: it belongs to the piece now. `duplicate`: we have it, or another peer is writing it. `unrequested`:
   * this peer was not asked. In the last two cases the bytes must not be written.
   */
  readonly kind: "accepted" | "duplicate" | "unrequested";
  /** All blocks are here: hash the piece, then call `verdict`. */
  readonly pieceComplete: boolean;
  /** Another peer that was asked for this block and no longer owes it: send it a cancel. */
  readonly alsoAsked: PeerKey | undefined;
}

/**
 * Decides which blocks to ask a peer for. Every piece is in exactly one state:
 *
 *     unwanted <-> wanted -> started -> received -> have
 *                    ^---------+-----------+----------+   discard, verdict false, lost
 *
 * A block is requested from one peer, and in the end game from one more. Blocks never arrive twice at the same place:
 * `begin` admits one writer at a time. Decisions depend only on the calls and on `Random`.
 */
export class PiecePicker {
  /** The pieces that readers need soon, which come before all others. */
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

  /** Wanted pieces that we lack. */
  get missingCount(): number {
    return this.#swarm.lackingCount;
  }

  /** We have everything that is wanted. */
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
   * Sets one priority for each piece: 0 unwanted, else 1 to 7, higher first. A started piece that is no longer wanted
   * is not requested; its blocks stay until `park` or `discard`. O(pieces).
   */
  setPriorities(priorities: Uint8Array): void {
    this.#ledger.setPriorities(priorities);
  }

  /** The same for one piece; O(1) for priorities that are in use already. */
  setPriority(piece: number, priority: number): void {
    this.#ledger.setPriority(piece, priority);
  }

  /** Opens pieces in the order of the torrent's bytes, each priority for itself, or the rarest first. O(pieces). */
  setSequential(isSequential: boolean): void {
    const { rarity } = this.#swarm;
    if (rarity.isSequential !== isSequential) rarity.setSequential(isSequential);
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
   * @returns True when no block is missing: the piece is `received` and awaits its verdict.
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
   * @param sender - Identifies the origin of its blocks (`SmartBan.senderOf`); not negative. Unlike the key it outlives
   *   the connection.
   * @param isServer - It is a connection to a web server: see `PickerPeer`.
   */
  peerJoined(sender: number, isServer = false): PeerKey {
    const peer = this.#swarm.join(sender, isServer);
    peer.suspected = this.#ledger.failed.isDoubtful(sender);
    return peer.key;
  }

  /**
   * The peer left: its requests are free again, and its key is reused. Blocks that only it sent are discarded when
   * there is reason to doubt them.
   */
  peerGone(peer: PeerKey): void {
    const gone = this.#swarm.get(peer);
    this.#ledger.withdrawAll(gone, true);
    for (const started of this.#started.all()) {
      if (!gone.proven && !started.complete) this.#forgetFirstBlocks(started, gone);
      if (started.owner !== peer) continue;
      started.owner = NOBODY;
      // The next peer starts over; otherwise a liar who leaves could spoil the piece again and again (WIR-28).
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

  /** @returns False when that was known already. */
  peerHave(peer: PeerKey, piece: number): boolean {
    return this.#swarm.has(this.#swarm.get(peer), piece);
  }

  /** The peer no longer has the piece. */
  peerDontHave(peer: PeerKey, piece: number): void {
    this.#swarm.lacks(this.#swarm.get(peer), piece);
  }

  /** A hint (BEP 6): the piece wins among equally rare ones. */
  peerSuggests(peer: PeerKey, piece: number): void {
    rememberHint(this.#swarm.get(peer).suggested, piece);
  }

  /** The piece may be requested while the peer chokes us (BEP 6). */
  peerAllowsFast(peer: PeerKey, piece: number): void {
    rememberHint(this.#swarm.get(peer).allowedFast, piece);
  }

  /** True when the peer has a piece that we want and lack. */
  isInteresting(peer: PeerKey): boolean {
    return this.#swarm.interesting(this.#swarm.get(peer)) > 0;
  }

  /** True when a piece with a block of this peer was intact: it is no longer a stranger. */
  isProven(peer: PeerKey): boolean {
    return this.#swarm.get(peer).proven;
  }

  /** True when we would accept the block from the peer: it was asked, even if it is late. */
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
   * Reserves up to `blocksMax` blocks to request from the peer, in this order: pieces that readers need, its current
   * piece, started pieces, pieces that failed, new ones (the first few at random, then the rarest), pieces that others
   * would rather fetch alone, and in the end game blocks that one other peer owes us.
   *
   * @returns The number of blocks written to `out`.
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
   * @returns True when its payload is to be written to the piece's memory: the peer was asked, and no other peer is
   *   writing it. The place belongs to this peer until `received`, or until the peer is gone.
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

  /** The peer chokes us, and will still answer every request (BEP 6). */
  choked(peer: PeerKey): void {
    this.#swarm.get(peer).idle = true;
  }

  /** The peer dropped all our requests: it choked us, without the fast extension. */
  release(peer: PeerKey): void {
    const who = this.#swarm.get(peer);
    who.idle = true;
    this.#ledger.withdrawAll(who, false);
    this.#disown(peer);
  }

  /**
   * The peer is late. Other peers may be asked for what it owes us; blocks that still come from it are accepted. A
   * block that is arriving stays reserved for it: a peer that never finishes it must be closed.
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
   * The hash has judged a `received` piece. Peers that sent blocks of a corrupt piece are suspected: from now on each
   * of them fetches pieces alone, and the piece comes from one peer (WIR-12, WIR-13). A peer that sent all of it is
   * asked only for pieces that no other peer has, until another piece of its is intact.
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

  /** The sender of each block of a started or received piece; -1 when unknown. Valid until the next call. */
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

  /** Pieces that await their verdict. In a new picker these are the pieces that are all padding. */
  receivedPieces(): Iterable<number> {
    return this.#ledger.received();
  }

  /** The piece is started and has memory. */
  isInMemory(piece: number): boolean {
    return this.#started.get(piece)?.parked === false;
  }

  /** And no block of it is requested. */
  isIdle(piece: number): boolean {
    const started = this.#started.get(piece);
    return started !== undefined && isIdle(started);
  }

  /** Started pieces with memory and no open requests, the longest untouched first. */
  idlePieces(): number[] {
    const idle: StartedPiece[] = [];
    for (const started of this.#started.all()) {
      if (isIdle(started)) idle.push(started);
    }
    return idle.sort((a, b) => a.touched - b.touched).map((started) => started.piece);
  }

  /**
   * The memory of an idle piece goes to another piece: its received blocks are on disk now, and `pick` calls `canStart`
   * before it continues. A piece without received blocks is no longer started.
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
   * The received blocks of a piece are lost, and no peer is to blame (the disk refused them). Its open requests are
   * forgotten: their blocks will be `unrequested`, even one that is just arriving.
   */
  discard(piece: number): void {
    if (this.#started.get(piece)) this.#ledger.giveBack(piece);
  }

  // -- blocks ------------------------------------------------------------------------------------

  get #started(): PieceLedger["started"] {
    return this.#ledger.started;
  }

  /** Not worth the risk: a wrong block would cost the whole piece once others had completed it (WIR-28). */
  #forgetFirstBlocks(started: StartedPiece, stranger: PickerPeer): void {
    if (started.received === 0 || started.received > started.blockCount * FIRST_BLOCKS) return;
    if (started.receivedFrom(stranger.sender) < started.received) return;
    started.forgetReceived();
    this.#started.update(started);
  }

  /** Other peers may continue the pieces that the peer had to itself. */
  #disown(peer: PeerKey): void {
    for (const started of this.#started.all()) {
      if (started.owner === peer && !started.strict) started.owner = NOBODY;
    }
  }
}

function isIdle({ complete, parked, inFlight }: StartedPiece): boolean {
  return !complete && !parked && inFlight === 0;
}
