import type { Random } from "../../ports/random.ts";
import { CHOKING_WINDOW_MS, RateMeter } from "../sharing/rate-meter.ts";
import { FED_BYTES_PER_SECOND, type SlotDemand, type SlotGrant } from "../sharing/slot-shares.ts";

/** Interval between two checks for free slots. */
const FILL_MS = 500;

/** What a peer takes in this time at the beginning of its turn proves nothing: the buffers on the way hold that much. */
const SWALLOW_MS = 1_000;

/** An optimistic unchoke lasts this long, whatever the peer gives us (BEP 3). */
const OPTIMISTIC_MS = 30_000;

/** A peer connected for less than this is new, and three times as likely to be unchoked optimistically (BEP 3). */
const NEW_MS = 60_000;
const NEW_WEIGHT = 3;

/** A seed serves a peer until it has sent it this much (libtorrent: 20 pieces)... */
const TURN_BYTES = 20 * 1024 * 1024;
/** ...or for this long, when others wait. */
const TURN_MS = 60_000;

/** An unchoked peer that took nothing for this long does not fill its slot... */
const QUIET_MS = 4_000;
/** ...and after this long loses it when another peer waits for it (WIR-22). */
const HOG_MS = 20_000;

/** With only one slot, a leecher uses it in every third round for an optimistic unchoke. */
const LONE_ROUNDS = 3;

/** What the choker must know of a peer. The object itself identifies the peer. */
export interface ChokerPeer {
  readonly peerInterested: boolean;
  /** The current state; the choker trusts that its decisions were carried out. */
  readonly amChoking: boolean;
  /** It owes us blocks and sends none. */
  readonly snubbed: boolean;
  /** Blocks that it requested wait for our rate limit or memory, so it is not its fault that it takes nothing. */
  readonly isHeldBack?: boolean;
  /** Runs of blocks that the operating system has accepted: these follow the peer, while `uploaded` runs ahead of it. */
  readonly runsSent?: number;
  readonly connectedAtMs: number;
  /** Bytes of blocks sent to it and received from it since the connection began. */
  readonly uploaded: number;
  readonly downloaded: number;
}

/** The torrent's part of the session's slots is passed along. */
export interface ChokerView<P> extends SlotGrant {
  readonly peers: Iterable<P>;
  /** We have everything we want, so we cannot rank peers by what they give us. */
  readonly seeding: boolean;
  /** A rate limit slows uploads down: more slots would only make each upload slower. */
  readonly limited?: boolean;
  readonly now: number;
}

export interface ChokerDecision<P> {
  readonly choke: readonly P[];
  readonly unchoke: readonly P[];
}

/** What the choker remembers of a peer. */
interface Ledger {
  readonly down: RateMeter;
  readonly up: RateMeter;
  uploaded: number;
  downloaded: number;
  runsSent: number;
  /** When it last took a byte, or was unchoked. */
  movedAtMs: number;
  /** When it was unchoked, and how many bytes it had received by then. */
  turnAtMs: number;
  turnFrom: number;
  /** When it lost its slot. */
  waitingSinceMs: number;
  /** It had a slot and took nothing. */
  hog: boolean;
  wasChoked: boolean;
}

/**
 * Decides which peers to upload to. A leecher serves the peers that gave it most in the last 20 s, and one more
 * at random, which finds better peers and lets newcomers begin (BEP 3). A seed serves all peers in turn, so that
 * each gets some data and none can keep a slot (WIR-24). Peers are choked only in rounds; a free slot is filled
 * at once.
 *
 * An unchoked peer that takes nothing does not count: with eight slots, sixty peers that never read do not keep
 * out the sixty-first (WIR-22).
 */
export class Choker<P extends ChokerPeer> {
  readonly #random: Random;
  readonly #ledgers = new WeakMap<P, Ledger>();
  #optimistic: P | undefined;
  #optimisticUntilMs = 0;
  #round = 0;
  /** Rounds in which a leecher had only one slot. */
  #loneRounds = 0;
  #nextFillMs = 0;
  #hasFree = true;
  /** Bytes taken since the last check by peers well into their turn, and whether there were such peers. */
  #takenBytes = 0;
  #hadTakers = false;
  #lookedAtMs = 0;
  /** When a peer well into its turn was last served while torrents share the line. */
  #servedAtMs = Number.NEGATIVE_INFINITY;
  /** Unchokes beyond the slots while the line is idle; each check that finds it idle doubles them. */
  #trials = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** True when a peer that becomes interested now would be unchoked at once. */
  get hasFree(): boolean {
    return this.#hasFree;
  }

  /** True when it is time to call `decide`. */
  due(now: number): boolean {
    return now >= this.#nextFillMs;
  }

  /** The peer is gone. @returns True when that freed a slot. */
  gone(peer: P): boolean {
    if (this.#optimistic === peer) this.#optimistic = undefined;
    const freed = this.#ledgers.delete(peer) && !peer.amChoking && peer.peerInterested;
    this.#hasFree ||= freed;
    return freed;
  }

  /** What the torrent must report to be granted slots. */
  demand(open: Iterable<P>, now: number): Pick<SlotDemand, "interested" | "uploads"> {
    let interested = 0;
    const uploads: number[] = [];
    for (const peer of open) {
      this.#observe(peer, now);
      if (peer.peerInterested) interested += 1;
      if (!peer.amChoking) uploads.push(this.#ledger(peer, now).up.bytesPerSecond(now));
    }
    return { interested, uploads };
  }

  /** Runs a round when one is due, else fills free slots. Call it whenever a slot may be free. */
  decide(view: ChokerView<P>): ChokerDecision<P> {
    const { now, slots, round, shared } = view;
    const peers = [...view.peers];
    for (const peer of peers) {
      this.#observe(peer, now);
      const ledger = this.#ledger(peer, now);
      const runsSent = peer.runsSent ?? 0;
      // A lone torrent admits others meanwhile. Among several torrents that would exceed its share.
      const isServed = peer.isHeldBack === true || runsSent > ledger.runsSent;
      if (shared && isServed) {
        ledger.movedAtMs = now;
        if (now - ledger.turnAtMs > SWALLOW_MS) this.#servedAtMs = now;
      }
      ledger.runsSent = runsSent;
    }
    this.#nextFillMs = now + FILL_MS;
    this.#lookAtLine(view);
    let chosen: ReadonlySet<P>;
    if (round !== this.#round) {
      this.#round = round;
      chosen = view.seeding
        ? this.#seedRound(peers, slots, now)
        : this.#leechRound(peers, slots, now);
    } else {
      chosen = this.#fill(peers, slots, view);
    }
    const filled = peers.filter((peer) => chosen.has(peer) && this.#fillsSlot(peer, now)).length;
    this.#hasFree = filled < slots;
    const decision = {
      choke: peers.filter((peer) => !peer.amChoking && !chosen.has(peer)),
      unchoke: peers.filter((peer) => peer.amChoking && chosen.has(peer)),
    };
    for (const peer of decision.unchoke) this.#beginTurn(peer, now);
    for (const peer of decision.choke) this.#endTurn(peer, now);
    return decision;
  }

  // -- what happened since ----------------------------------------------------------------------

  #observe(peer: P, now: number): void {
    const ledger = this.#ledger(peer, now);
    ledger.down.add(peer.downloaded - ledger.downloaded, now);
    ledger.up.add(peer.uploaded - ledger.uploaded, now);
    if (!peer.amChoking && now - ledger.turnAtMs > SWALLOW_MS) {
      this.#takenBytes += peer.uploaded - ledger.uploaded;
      this.#hadTakers ||= peer.peerInterested;
    }
    if (peer.uploaded > ledger.uploaded) {
      ledger.movedAtMs = now;
      ledger.hog = false;
    }
    ledger.downloaded = peer.downloaded;
    ledger.uploaded = peer.uploaded;
    // Other code may choke a peer as well, for example one that is no longer interested.
    if (peer.amChoking && !ledger.wasChoked) this.#endTurn(peer, now);
  }

  #ledger(peer: P, now: number): Ledger {
    const known = this.#ledgers.get(peer);
    if (known) return known;
    const ledger: Ledger = {
      down: new RateMeter(CHOKING_WINDOW_MS),
      up: new RateMeter(CHOKING_WINDOW_MS),
      uploaded: peer.uploaded,
      downloaded: peer.downloaded,
      runsSent: peer.runsSent ?? 0,
      movedAtMs: now,
      turnAtMs: now,
      turnFrom: peer.uploaded,
      waitingSinceMs: now,
      hog: false,
      wasChoked: peer.amChoking,
    };
    this.#ledgers.set(peer, ledger);
    return ledger;
  }

  #beginTurn(peer: P, now: number): void {
    const ledger = this.#ledger(peer, now);
    ledger.wasChoked = false;
    ledger.movedAtMs = now;
    ledger.turnAtMs = now;
    ledger.turnFrom = peer.uploaded;
  }

  #endTurn(peer: P, now: number): void {
    const ledger = this.#ledger(peer, now);
    ledger.wasChoked = true;
    ledger.waitingSinceMs = now;
  }

  /**
   * When the peers that have had their turn for a while take next to nothing in total, the line is idle and an
   * unchoke costs nothing. Then we try more and more peers, so that one that does read need not wait until sixty
   * that do not have had their turn, eight at a time (WIR-22).
   */
  #lookAtLine({ slots, limited, now }: ChokerView<P>): void {
    const elapsedMs = now - this.#lookedAtMs;
    if (elapsedMs < FILL_MS) return;
    const idle = (this.#takenBytes * 1000) / elapsedMs < slots * FED_BYTES_PER_SECOND;
    // A line that is busy with other torrents leaves little for this one, a run of blocks every few seconds.
    const isBusy = now - this.#servedAtMs < QUIET_MS;
    // If our own limit holds bytes back, it is not the peers' fault.
    const tries = idle && this.#hadTakers && !isBusy && limited !== true;
    this.#trials = tries ? Math.max(slots, this.#trials * 2) : 0;
    this.#takenBytes = 0;
    this.#hadTakers = false;
    this.#lookedAtMs = now;
  }

  /** Unchoked, and either taking what it requests or not yet known to take nothing. */
  #fillsSlot(peer: P, now: number): boolean {
    if (!peer.peerInterested) return false;
    return peer.amChoking || now - this.#ledger(peer, now).movedAtMs < QUIET_MS;
  }

  #isHog(peer: P, now: number): boolean {
    const ledger = this.#ledger(peer, now);
    if (!peer.amChoking && peer.peerInterested && now - ledger.movedAtMs >= HOG_MS)
      ledger.hog = true;
    return ledger.hog;
  }

  // -- leeching ---------------------------------------------------------------------------------

  #leechRound(peers: readonly P[], slots: number, now: number): Set<P> {
    if (slots < 2) return slots < 1 ? new Set() : this.#loneRound(peers, now);
    const ranked = this.#rankByGift(peers, now).filter((peer) => !peer.snubbed);
    const chosen = new Set<P>();
    let filled = 0;
    for (const peer of ranked) {
      if (filled === slots - 1) break;
      // A peer that is not interested but gives more than others will be admitted without waiting for a round:
      // BEP 3 unchokes it now, and it fills no slot until it is interested.
      if (!peer.peerInterested && this.#gift(peer, now) === 0) continue;
      if (peer.peerInterested && this.#isHog(peer, now)) continue;
      chosen.add(peer);
      if (this.#fillsSlot(peer, now)) filled += 1;
    }
    const rest = peers.filter((peer) => peer.peerInterested && !chosen.has(peer));
    const optimistic = this.#chooseOptimistic(rest, now);
    if (optimistic) {
      chosen.add(optimistic);
      if (this.#fillsSlot(optimistic, now)) filled += 1;
    }
    this.#addWaiting(chosen, rest, slots - filled, now);
    return chosen;
  }

  /** One slot cannot reward one peer and try another at the same time, so it alternates. */
  #loneRound(peers: readonly P[], now: number): Set<P> {
    this.#loneRounds += 1;
    const interested = peers.filter((peer) => peer.peerInterested);
    const best = this.#rankByGift(interested, now).find(
      (peer) => !peer.snubbed && this.#gift(peer, now) > 0 && !this.#isHog(peer, now),
    );
    const rest = interested.filter((peer) => peer !== best);
    const rewards = best !== undefined && this.#loneRounds % LONE_ROUNDS !== 0;
    const one = rewards ? best : (this.#chooseOptimistic(rest, now) ?? best);
    const chosen = new Set<P>();
    if (one) chosen.add(one);
    this.#addWaiting(chosen, rest, one && this.#fillsSlot(one, now) ? 0 : 1, now);
    return chosen;
  }

  /** Best first; among equals, peers that have a slot keep it. */
  #rankByGift(peers: readonly P[], now: number): P[] {
    return [...peers].sort(
      (a, b) =>
        this.#gift(b, now) - this.#gift(a, now) ||
        Number(a.amChoking) - Number(b.amChoking) ||
        a.connectedAtMs - b.connectedAtMs,
    );
  }

  #gift(peer: P, now: number): number {
    return this.#ledger(peer, now).down.bytesPerSecond(now);
  }

  #chooseOptimistic(rest: readonly P[], now: number): P | undefined {
    const current = this.#optimistic;
    const keeps = current !== undefined && now < this.#optimisticUntilMs && rest.includes(current);
    if (keeps && !this.#isHog(current, now)) return current;
    const others = rest.filter((peer) => peer !== current && !this.#isHog(peer, now));
    const from = others.length > 0 ? others : rest;
    const weights = from.map((peer) => (now - peer.connectedAtMs < NEW_MS ? NEW_WEIGHT : 1));
    let lot = weights.length === 0 ? 0 : this.#random.below(weights.reduce((sum, w) => sum + w, 0));
    this.#optimistic = from.find((_, index) => {
      lot -= weights[index]!;
      return lot < 0;
    });
    this.#optimisticUntilMs = now + OPTIMISTIC_MS;
    return this.#optimistic;
  }

  // -- seeding ----------------------------------------------------------------------------------

  #seedRound(peers: readonly P[], slots: number, now: number): Set<P> {
    const chosen = new Set<P>();
    const inTurn = peers.filter((peer) => peer.peerInterested && !peer.amChoking);
    let filled = 0;
    for (const peer of inTurn) {
      if (filled === slots || this.#isTurnOver(peer, now) || this.#isHog(peer, now)) continue;
      chosen.add(peer);
      if (this.#fillsSlot(peer, now)) filled += 1;
    }
    const rest = peers.filter((peer) => peer.peerInterested && !chosen.has(peer));
    this.#addWaiting(chosen, rest, slots - filled, now);
    return chosen;
  }

  #isTurnOver(peer: P, now: number): boolean {
    const { turnAtMs, turnFrom } = this.#ledger(peer, now);
    return peer.uploaded - turnFrom >= TURN_BYTES || now - turnAtMs >= TURN_MS;
  }

  // -- filling ----------------------------------------------------------------------------------

  /** Between rounds no peer is choked. */
  #fill(peers: readonly P[], slots: number, { now }: ChokerView<P>): Set<P> {
    const chosen = new Set(peers.filter((peer) => !peer.amChoking));
    let filled = 0;
    for (const peer of chosen) if (this.#fillsSlot(peer, now)) filled += 1;
    const waiting = peers.filter((peer) => peer.peerInterested && peer.amChoking);
    this.#addWaiting(chosen, waiting, Math.max(slots - filled, this.#trials), now);
    return chosen;
  }

  /**
   * The peers that have waited longest, with hogs and snubbers last. Newcomers do not come first: a peer that
   * reconnects again and again would keep all others out (WIR-22).
   */
  #addWaiting(chosen: Set<P>, rest: readonly P[], free: number, now: number): void {
    if (free <= 0) return;
    const since = (peer: P): number =>
      peer.amChoking ? this.#ledger(peer, now).waitingSinceMs : Number.POSITIVE_INFINITY;
    const order = rest
      .filter((peer) => !chosen.has(peer))
      .sort(
        (a, b) =>
          Number(this.#isHog(a, now)) - Number(this.#isHog(b, now)) ||
          Number(a.snubbed) - Number(b.snubbed) ||
          compare(since(a), since(b)) ||
          a.connectedAtMs - b.connectedAtMs,
      );
    for (const peer of order.slice(0, free)) chosen.add(peer);
  }
}

/** Unlike a subtraction, this can compare infinities. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
