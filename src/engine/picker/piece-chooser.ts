import type { PickRoom } from "./pick-room.ts";
import type { PieceLedger } from "./piece-ledger.ts";
import type { StartedPiece } from "./started-piece.ts";
import { NOBODY, type PickerPeer } from "./swarm-pieces.ts";

/**
 * Until we have this many pieces, new ones are taken at random: a piece with many copies arrives soon, and gives us
 * something to trade (BEP 3). This does not apply to a peer that has everything: it sends a rare piece as soon as any
 * other, and a seed should send each piece once before it sends one twice.
 */
const RANDOM_FIRST_PIECES = 4;

/** A run of pieces from a web server goes on for this long, even if pieces elsewhere are rarer. */
const RUN_BYTES = 4 * 1024 * 1024;

export interface PickOptions {
  /**
   * Called before blocks of a piece without memory are handed out. On `true` the piece has memory, until its verdict,
   * `park` or `discard`.
   */
  readonly canStart: (piece: number) => boolean;
  /** The peer is fast enough for a whole piece of its own (in about 20 s). */
  readonly whole: boolean;
  /** The peer let us down: it gets no piece of its own and no duplicates. */
  readonly snubbed: boolean;
  /** The peer has owed us blocks for a while and sends none: it gets nothing that a reader needs soon. */
  readonly silent: boolean;
  /** Blocks that the peer sends within a moment: so many of a piece that a reader waits for are asked of it at once. */
  readonly soonBlocks: number;
  /** The peer chokes us: it gets only its allowed-fast pieces (BEP 6). */
  readonly choked: boolean;
}

/**
 * Chooses the piece that a peer is to fetch blocks of. Peers that are fast, unknown or suspected get their own pieces;
 * the others share. So slow peers do not delay fast ones, and a liar's blocks are not mixed with those of others. For a
 * suspected peer, and for a piece that was corrupt, this rule is strict.
 */
export class PieceChooser {
  readonly #ledger: PieceLedger;
  #round = 0;
  /** `canStart` returned false in this round. */
  #memoryShort = false;

  constructor(ledger: PieceLedger) {
    this.#ledger = ledger;
  }

  /** Begins a pick: the blocks that one peer is asked for at once. */
  beginRound(): void {
    this.#round += 1;
    this.#memoryShort = false;
  }

  /** Pieces that were chosen in this pick may be chosen again. */
  revisit(): void {
    this.#round += 1;
  }

  /** The piece is not chosen again in this round. */
  exhaust(started: StartedPiece): void {
    started.visit = this.#round;
  }

  /** Asks the peer for free blocks of a piece. @returns The number of blocks written in total. */
  askFor(started: StartedPiece, peer: PickerPeer, room: PickRoom): number {
    let { count } = room;
    while (count < room.blocksMax) {
      const block = started.ask(peer.key);
      if (block < 0) {
        this.exhaust(started);
        break;
      }
      room.out.pieces[count] = started.piece;
      room.out.blocks[count] = block;
      count += 1;
    }
    peer.outstanding += count - room.count;
    this.#ledger.started.touch(started);
    this.#ledger.started.update(started);
    return count;
  }

  next(peer: PickerPeer, options: PickOptions): StartedPiece | undefined {
    if (this.#ledger.failed.isDoubtful(peer.sender)) return this.#nextDoubtful(peer, options);
    if (options.choked) return this.#nextAllowedFast(peer, options);
    const alone = !options.snubbed && (options.whole || !peer.proven || peer.suspected);
    const current = this.#ledger.started.get(peer.current);
    if (current && !current.parked && this.#fits(current, peer)) {
      if (!alone || current.owner === peer.key) return current;
    }
    const best = this.#bestOpen(peer, alone, false);
    if (best && this.#wake(best, options)) return this.#adopt(best, peer, alone);
    const opened = this.#openFailed(peer, options) ?? this.#openFresh(peer, options);
    if (opened) return this.#adopt(opened, peer, alone);
    const shared = this.#bestOpen(peer, alone, true);
    if (shared && this.#wake(shared, options)) return this.#adopt(shared, peer, false);
    return this.#lastResort(peer, options);
  }

  /**
   * Asks for a piece that is needed soon, even when another peer fetches it alone. A piece that was corrupt still comes
   * from one peer only, and a suspected peer's blocks are still not mixed: after a corrupt piece every peer may be
   * suspected, and the reader must still get its data.
   *
   * @returns `undefined` when nothing of it can be asked of this peer now.
   */
  urgent(piece: number, peer: PickerPeer, options: PickOptions): StartedPiece | undefined {
    const { failed, started: all, swarm } = this.#ledger;
    if (!this.#isWantedFrom(peer, piece)) return undefined;
    const started = all.get(piece);
    if (!started) {
      const failedBefore = failed.waiting.has(piece);
      if (!failedBefore && !swarm.rarity.isListed(piece)) return undefined;
      if (failedBefore && failed.isBlamed(piece, peer.sender)) return undefined;
      if (!this.#hasMemory(piece, options)) return undefined;
      return this.#adopt(this.#ledger.open(piece), peer, peer.suspected);
    }
    if (started.complete || started.visit === this.#round) return undefined;
    if (started.owner !== peer.key) {
      if (started.strict) return this.#takeOver(started, peer, options);
      // Its blocks are not mixed with those of others either.
      if (peer.suspected) return undefined;
    }
    if (started.free === 0 || !this.#wake(started, options)) return undefined;
    return started;
  }

  /** The piece must come from one peer, and that is another one. */
  #takeOver(
    started: StartedPiece,
    peer: PickerPeer,
    options: PickOptions,
  ): StartedPiece | undefined {
    const { failed } = this.#ledger;
    if (failed.isBlamed(started.piece, peer.sender)) return undefined;
    if (started.owner !== NOBODY && !this.#isHeldUp(started, peer)) return undefined;
    if (!this.#wake(started, options)) return undefined;
    if (started.owner !== NOBODY) this.#ledger.beginAnew(started, peer.key);
    started.owner = peer.key;
    return started.free === 0 ? undefined : started;
  }

  /**
   * For a peer that sent a whole corrupt piece: continue its current piece, else take a piece that no other peer has,
   * one at a time and only a limited number. Not all pieces are searched: there is no hurry.
   */
  #nextDoubtful(peer: PickerPeer, options: PickOptions): StartedPiece | undefined {
    if (options.choked) return undefined;
    const own = this.#bestOpen(peer, true, false);
    if (own && own.owner === peer.key && this.#wake(own, options)) return own;
    if (peer.outstanding > 0 || this.#ledger.failed.isHopeless(peer.sender)) return undefined;
    const { swarm } = this.#ledger;
    if (this.#memoryShort || swarm.fresh(peer) === 0) return this.#lastResort(peer, options);
    const found = swarm.rarity.rarest(peer.everything ? undefined : peer.pieces);
    if (found < 0 || this.#hasOtherSource(found, peer)) return this.#lastResort(peer, options);
    if (!this.#hasMemory(found, options)) return undefined;
    return this.#adopt(this.#ledger.open(found), peer, true);
  }

  /** Every block that any peer could send is requested. */
  get isEndGame(): boolean {
    const { swarm, started } = this.#ledger;
    if (swarm.obtainableCount > 0) return false;
    return !started.open.some(
      ({ piece, strict }) =>
        !strict && this.#ledger.priority(piece) !== 0 && swarm.copies(piece) > 0,
    );
  }

  /** True when blocks of the piece may be asked from this peer, even if another peer fetches the piece. */
  #fits(started: StartedPiece, peer: PickerPeer): boolean {
    const { piece, owner } = started;
    if (started.free === 0 || started.visit === this.#round) return false;
    if (!peer.has(piece) || this.#ledger.priority(piece) === 0) return false;
    if (started.parked && this.#memoryShort) return false;
    if (owner === peer.key) return true;
    if (started.strict) {
      return owner === NOBODY && !this.#ledger.failed.isBlamed(piece, peer.sender);
    }
    if (!peer.suspected) return true;
    return owner === NOBODY && started.received === 0 && started.inFlight === 0;
  }

  /**
   * The started piece to continue: the peer's own, else by priority, else the one closest to completion.
   *
   * @param alone - For a peer that should not mix with others.
   * @param intrude - Also pieces that another peer, or this one, would rather fetch alone.
   */
  #bestOpen(peer: PickerPeer, alone: boolean, intrude: boolean): StartedPiece | undefined {
    let best: StartedPiece | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const started of this.#ledger.started.open) {
      if (!this.#fits(started, peer)) continue;
      const own = started.owner === peer.key;
      if (!own && !intrude) {
        if (started.owner !== NOBODY) continue;
        // A stranger does not continue pieces of others: it would put their work at risk.
        if (alone && (started.inFlight > 0 || (!peer.proven && started.received > 0))) continue;
      }
      const score =
        (own ? 1e12 : 0) +
        this.#ledger.priority(started.piece) * 1e9 -
        started.free * 2 -
        (started.parked ? 1 : 0);
      if (score <= bestScore) continue;
      best = started;
      bestScore = score;
    }
    return best;
  }

  #adopt(started: StartedPiece, peer: PickerPeer, alone: boolean): StartedPiece {
    if (started.owner !== NOBODY) return started;
    if (peer.suspected && !started.strict) {
      started.strict = true;
      this.#ledger.beginAnew(started, peer.key);
    }
    if (alone || started.strict) started.owner = peer.key;
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

  #openFailed(peer: PickerPeer, options: PickOptions): StartedPiece | undefined {
    const { failed } = this.#ledger;
    for (const piece of failed.waiting) {
      if (!this.#isWantedFrom(peer, piece) || failed.isBlamed(piece, peer.sender)) continue;
      return this.#hasMemory(piece, options) ? this.#ledger.open(piece) : undefined;
    }
    return undefined;
  }

  #openFresh(peer: PickerPeer, options: PickOptions): StartedPiece | undefined {
    const { swarm } = this.#ledger;
    if (this.#memoryShort || swarm.fresh(peer) === 0) return undefined;
    const holder = peer.everything ? undefined : peer.pieces;
    const { rarity } = swarm;
    const isFirst = this.#ledger.haveCount < RANDOM_FIRST_PIECES && !peer.everything;
    const isRandom = options.snubbed || (isFirst && !rarity.isSequential);
    const found = isRandom ? rarity.random(holder) : rarity.next(holder);
    if (found < 0) return undefined;
    const piece = peer.isServer ? this.#nextOfRun(peer, found) : this.#nextOf(peer, found);
    return this.#hasMemory(piece, options) ? this.#ledger.open(piece) : undefined;
  }

  #nextOf(peer: PickerPeer, found: number): number {
    const { rarity } = this.#ledger.swarm;
    const suggested = peer.suggested.find(
      (piece) => rarity.isListed(piece) && peer.has(piece) && rarity.notAfter(piece, found),
    );
    return suggested ?? found;
  }

  /**
   * The piece after the last one, for as long as the run lasts or while it is among the rarest; else the beginning of
   * the gap around a rarest one. So the server brings what few peers have, and each request brings many pieces.
   */
  #nextOfRun(peer: PickerPeer, found: number): number {
    const { rarity } = this.#ledger.swarm;
    const next = peer.current + 1;
    const goesOn = peer.current >= 0 && rarity.isListed(next) && peer.has(next);
    if (
      goesOn &&
      (rarity.notAfter(next, found) || (peer.runLeft > 0 && this.#isAsUrgent(next, found)))
    ) {
      peer.runLeft -= 1;
      return next;
    }
    const longest = this.#ledger.piecesOf(RUN_BYTES);
    let first = found;
    for (let back = 1; back < longest && first > 0; back += 1) {
      const before = first - 1;
      if (!rarity.isListed(before) || !peer.has(before)) break;
      if (!rarity.notAfter(before, found)) break;
      first = before;
    }
    peer.runLeft = longest - 1;
    return first;
  }

  #isAsUrgent(a: number, b: number): boolean {
    return this.#ledger.priority(a) >= this.#ledger.priority(b);
  }

  /** For a peer that has nothing else to do. */
  #lastResort(peer: PickerPeer, options: PickOptions): StartedPiece | undefined {
    const { failed, started: all } = this.#ledger;
    for (const started of all.all()) {
      if (!started.strict || started.complete || started.owner === peer.key) continue;
      if (started.visit === this.#round || !this.#isHeldUp(started, peer)) continue;
      if (!this.#isWantedFrom(peer, started.piece)) continue;
      if (failed.isBlamed(started.piece, peer.sender)) continue;
      if (failed.isDoubtful(peer.sender) && this.#hasOtherSource(started.piece, peer)) continue;
      if (!this.#wake(started, options)) continue;
      this.#ledger.beginAnew(started, peer.key);
      started.owner = peer.key;
      return started;
    }
    for (const piece of failed.waiting) {
      if (!this.#isWantedFrom(peer, piece)) continue;
      if (this.#hasOtherSource(piece, peer)) continue;
      if (!this.#hasMemory(piece, options)) return undefined;
      return this.#adopt(this.#ledger.open(piece), peer, true);
    }
    return undefined;
  }

  /**
   * True when the owner of a strict piece does nothing for it (it chokes us, or is late), or when it is a stranger
   * that is less than half done while a proven peer is idle (WIR-15: trickling). That no block is in flight is not
   * enough: the owner may wait for our own rate limit, and peers that took the piece from each other in every turn
   * would never complete it.
   */
  #isHeldUp(started: StartedPiece, peer: PickerPeer): boolean {
    const owner = this.#ledger.swarm.find(started.owner);
    if (started.inFlight === 0 && owner?.idle !== false) return true;
    if (started.arriving > 0 || started.received * 2 >= started.blockCount) return false;
    return peer.proven && owner?.proven === false;
  }

  #isWantedFrom(peer: PickerPeer, piece: number): boolean {
    return peer.has(piece) && this.#ledger.priority(piece) !== 0;
  }

  /** True when a peer that we have no reason to doubt has the piece. */
  #hasOtherSource(piece: number, but: PickerPeer): boolean {
    const { swarm, failed } = this.#ledger;
    for (const peer of swarm.peers()) {
      if (peer !== but && peer.has(piece) && !failed.isDoubtful(peer.sender)) return true;
    }
    return false;
  }

  #nextAllowedFast(peer: PickerPeer, options: PickOptions): StartedPiece | undefined {
    for (const piece of peer.allowedFast) {
      const started = this.#ledger.started.get(piece);
      if (started) {
        if (!this.#fits(started, peer) || !this.#wake(started, options)) continue;
        return this.#adopt(started, peer, false);
      }
      if (!peer.has(piece) || !this.#ledger.swarm.rarity.isListed(piece)) continue;
      if (this.#hasMemory(piece, options)) return this.#adopt(this.#ledger.open(piece), peer, true);
    }
    return undefined;
  }
}
