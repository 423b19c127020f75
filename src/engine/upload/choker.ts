import type { Random } from "../../ports/random.ts";
import { CHOKING_WINDOW_MS, RateMeter } from "../sharing/rate-meter.ts";
import { FED_BYTES_PER_SECOND, type SlotDemand, type SlotGrant } from "../sharing/slot-shares.ts";

/** Between two looks for slots that fell free. */
const FILL_MS = 500;

/** What a peer takes in the beginning of its turn proves nothing: the buffers on the way swallow that much. */
const SWALLOW_MS = 1_000;

/** How long a peer is given a chance, whatever it gave us (BEP 3). */
const OPTIMISTIC_MS = 30_000;

/** A peer connected for less is new, and three times as likely to be given that chance (BEP 3). */
const NEW_MS = 60_000;
const NEW_WEIGHT = 3;

/** A seed serves a peer until it got so much (lt: 20 pieces)... */
const TURN_BYTES = 20 * 1024 * 1024;
/** ...or for so long, when others wait. */
const TURN_MS = 60_000;

/** An unchoked peer that took nothing for so long does not fill its slot... */
const QUIET_MS = 4_000;
/** ...and loses it after so long when another waits for it (WIR-22). */
const HOG_MS = 20_000;

/** With one slot alone, a leecher uses it in each third round to try a peer by chance. */
const LONE_ROUNDS = 3;

/** What the choker must know of a peer. The object itself is the peer's identity. */
export interface ChokerPeer {
  readonly peerInterested: boolean;
  /** As it is; the choker trusts that its decisions were carried out. */
  readonly amChoking: boolean;
  /** It owes us blocks and sends none. */
  readonly snubbed: boolean;
  /** Blocks that it asked for wait for rate or memory of ours: that it takes nothing is not its doing. */
  readonly isHeldBack?: boolean;
  /** Runs of blocks that the operating system has taken: they follow the peer where `uploaded` is ahead of it. */
  readonly runsSent?: number;
  readonly connectedAtMs: number;
  /** Bytes of blocks since the connection began, to it and from it. */
  readonly uploaded: number;
  readonly downloaded: number;
}

/** What the torrent has of the session's slots comes with it. */
export interface ChokerView<P> extends SlotGrant {
  readonly peers: Iterable<P>;
  /** We have everything we want, so peers cannot be ranked by what they give us. */
  readonly seeding: boolean;
  /** A rate limit holds uploads back: more slots would only make each slower. */
  readonly limited?: boolean;
  readonly now: number;
}

export interface ChokerDecision<P> {
  readonly choke: readonly P[];
  readonly unchoke: readonly P[];
}

/** What is remembered of a peer. */
interface Ledger {
  readonly down: RateMeter;
  readonly up: RateMeter;
  uploaded: number;
  downloaded: number;
  runsSent: number;
  /** When it last took a byte, or was unchoked. */
  movedAtMs: number;
  /** When it was unchoked, and how much it had got by then. */
  turnAtMs: number;
  turnFrom: number;
  /** Since when it has no slot. */
  waitingSinceMs: number;
  /** It had a slot and took nothing. */
  hog: boolean;
  wasChoked: boolean;
}

/**
 * Decides whom to upload to. Leeching: to those that gave us most in the last 20 s, and to one more
 * by chance, which finds better ones and lets newcomers begin (BEP 3). Seeding: to everybody in
 * turn, so that each gets some and none can hold a slot (WIR-24). Peers are choked in rounds only;
 * a slot that falls free is filled at once.
 *
 * An unchoked peer that takes nothing does not count: with slots for eight, sixty that never read
 * do not keep out the sixty-first (WIR-22).
 */
export class Choker<P extends ChokerPeer> {
  readonly #random: Random;
  readonly #ledgers = new WeakMap<P, Ledger>();
  #optimistic: P | undefined;
  #optimisticUntilMs = 0;
  #round = 0;
  /** Rounds in which a leecher had one slot alone. */
  #loneRounds = 0;
  #nextFillMs = 0;
  #hasFree = true;
  /** Bytes taken since the last look by peers that had their turn for a while, and whether there were such. */
  #takenBytes = 0;
  #hadTakers = false;
  #lookedAtMs = 0;
  /** When such a peer was last served while torrents share the line. */
  #servedAtMs = Number.NEGATIVE_INFINITY;
  /** Unchokes beyond the slots while the line is idle; doubled by each look that finds it so. */
  #trials = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** True when a peer that becomes interested now would be unchoked at once. */
  get hasFree(): boolean {
    return this.#hasFree;
  }

  /** True when `decide` is to be called. */
  due(now: number): boolean {
    return now >= this.#nextFillMs;
  }

  /** The peer is gone. @returns True when that left a slot to fill. */
  gone(peer: P): boolean {
    if (this.#optimistic === peer) this.#optimistic = undefined;
    const freed = this.#ledgers.delete(peer) && !peer.amChoking && peer.peerInterested;
    this.#hasFree ||= freed;
    return freed;
  }

  /** What the torrent must tell to be granted slots. */
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

  /** A round when one has begun, else fills free slots. To be called whenever one may be free. */
  decide(view: ChokerView<P>): ChokerDecision<P> {
    const { now, slots, round, shared } = view;
    const peers = [...view.peers];
    for (const peer of peers) {
      this.#observe(peer, now);
      const ledger = this.#ledger(peer, now);
      const runsSent = peer.runsSent ?? 0;
      // A torrent alone lets others in meanwhile. Among several, that would be more than its share.
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
    // Somebody else may choke too, for instance one that is no longer interested.
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
   * When those who have had their turn for a while take next to nothing together, the line is idle and an
   * unchoke costs nothing: ever more are tried, so that one who does read need not wait until sixty who do
   * not have had their turn, eight at a time (WIR-22).
   */
  #lookAtLine({ slots, limited, now }: ChokerView<P>): void {
    const elapsedMs = now - this.#lookedAtMs;
    if (elapsedMs < FILL_MS) return;
    const idle = (this.#takenBytes * 1000) / elapsedMs < slots * FED_BYTES_PER_SECOND;
    // A line that is busy with other torrents leaves little for this one, a run of blocks every few seconds.
    const isBusy = now - this.#servedAtMs < QUIET_MS;
    // What a limit of ours holds back is not the peers' doing.
    const tries = idle && this.#hadTakers && !isBusy && limited !== true;
    this.#trials = tries ? Math.max(slots, this.#trials * 2) : 0;
    this.#takenBytes = 0;
    this.#hadTakers = false;
    this.#lookedAtMs = now;
  }

  /** Unchoked and taking what it asks for, or not yet known not to. */
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
      // One that is not interested and gives more than others will be let in without waiting for a
      // round: BEP 3 unchokes it now, it fills no slot until it is interested.
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

  /** One slot cannot reward one peer and try another at the same time: it does so in turn. */
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

  /** Best first; among equals those that have a slot keep it. */
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

  /** Between rounds nobody is choked. */
  #fill(peers: readonly P[], slots: number, { now }: ChokerView<P>): Set<P> {
    const chosen = new Set(peers.filter((peer) => !peer.amChoking));
    let filled = 0;
    for (const peer of chosen) if (this.#fillsSlot(peer, now)) filled += 1;
    const waiting = peers.filter((peer) => peer.peerInterested && peer.amChoking);
    this.#addWaiting(chosen, waiting, Math.max(slots - filled, this.#trials), now);
    return chosen;
  }

  /**
   * Those that waited longest, hogs and snubbers last. Newcomers do not come first: who comes back
   * as one again and again would keep all others out (WIR-22).
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

/** Unlike a difference it can compare infinities. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
