import { equalBytes } from "../base/bytes.ts";
import type { Family } from "./contact.ts";
import { NearNodes } from "./near-nodes.ts";
import { NODE_ID_BYTES } from "./node-id.ts";
import { SortedInfohashes } from "./sorted-infohashes.ts";

/** New infohashes that are announced before the others; more wait for their turn. */
const NEW_MAX = 64;
/** After an announce that nobody took; doubled each time. */
const RETRY_FIRST_MS = 15_000;
const RETRY_MAX_MS = 5 * 60_000;
/** Failures in a row after which the next infohash has its turn. */
const FAILURES_MAX = 4;

/** The announce of one infohash that is under way. */
export interface Turn {
  readonly infohash: Uint8Array;
  /** Ends it. */
  end: () => void;
}

/** How long the rounds of a stripe take. */
export interface RoundTimes {
  readonly startMs: number;
  /** The time for as many turns as there are infohashes when none is announced: at the start, after a long absence. */
  readonly firstRoundMs: () => number;
  readonly roundMs: number;
  /** When in its share of time the stripe begins, 0 to 1: stripes do not begin together. */
  readonly phase: number;
}

/**
 * A stripe of the space of infohashes, whose torrents are announced one after the other, in order: a lookup begins with the
 * nodes that the one before found. New ones come first. The turns are spread evenly over a round.
 */
export class CatalogueStripe {
  readonly infohashes = new SortedInfohashes();
  readonly #times: RoundTimes;
  readonly #near = new Map<Family, NearNodes>();
  #new: Uint8Array[] = [];
  /** The infohash that had its turn last; the next one follows it. */
  #last: Uint8Array | undefined;
  #dueMs = Number.NaN;
  /** When a short round began, and the turns that are left of it. */
  #beganMs = 0;
  #shortLeft = 0;
  #retryMs = 0;
  #failures = 0;
  #rounds = 0;
  #turn: Turn | undefined;
  /** Announces that somebody took, in the round under way and in the last one. */
  #taken = 0;
  #takenBefore = 0;

  constructor(times: RoundTimes) {
    this.#times = times;
  }

  /** Rounds that are over. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Infohashes that the DHT has, as far as we know. */
  get announced(): number {
    return Math.min(this.infohashes.count, Math.max(this.#taken, this.#takenBefore));
  }

  near(family: Family): NearNodes {
    let near = this.#near.get(family);
    if (!near) this.#near.set(family, (near = new NearNodes()));
    return near;
  }

  /** @param isNew - It is announced soon, and not with its round. */
  add(infohash: Uint8Array, isNew: boolean): void {
    if (!this.infohashes.add(infohash) || !isNew) return;
    if (this.#new.length < NEW_MAX) this.#new.push(Uint8Array.from(infohash));
  }

  delete(infohash: Uint8Array): void {
    if (!this.infohashes.delete(infohash)) return;
    this.#new = this.#new.filter((other) => !equalBytes(other, infohash));
    if (this.#turn && equalBytes(this.#turn.infohash, infohash)) this.stop();
  }

  /** When it has something to announce; infinite when it has nothing, or is announcing. */
  nextMs(now: number): number {
    if (this.#turn || this.infohashes.count === 0) return Number.POSITIVE_INFINITY;
    if (this.#new.length > 0) return this.#retryMs;
    return Math.max(this.#retryMs, this.#due(now));
  }

  /** Gives the next infohash its turn. No other has one until `handleEnd` or `stop`. */
  take(now: number): Turn {
    const infohash = this.#new.shift() ?? this.#takeInOrder(now);
    this.#turn = { infohash, end: () => undefined };
    return this.#turn;
  }

  /** @param isTaken - A node keeps the announce. */
  handleEnd(turn: Turn, isTaken: boolean, now: number): void {
    // It was stopped.
    if (turn !== this.#turn) return;
    this.#turn = undefined;
    if (isTaken) {
      this.#failures = 0;
      this.#taken += 1;
      return;
    }
    this.#failures += 1;
    this.#retryMs = now + Math.min(RETRY_FIRST_MS * 2 ** (this.#failures - 1), RETRY_MAX_MS);
    if (this.#failures < FAILURES_MAX) this.#new.unshift(turn.infohash);
    else this.#failures = 0;
  }

  stop(): void {
    this.#turn?.end();
    this.#turn = undefined;
  }

  #due(now: number): number {
    const { startMs, roundMs } = this.#times;
    // A stripe that was empty until now begins later than the others.
    if (Number.isNaN(this.#dueMs)) this.#beginShort(Math.max(startMs, now));
    // Nodes have forgotten everything: there was no network.
    else if (now - this.#dueMs > roundMs) this.#beginShort(now);
    return this.#dueMs;
  }

  #beginShort(atMs: number): void {
    this.#beganMs = atMs;
    this.#shortLeft = this.infohashes.count;
    this.#dueMs = atMs + this.#shareMs() * this.#times.phase;
  }

  /** The time that one turn has now. */
  #shareMs(): number {
    const { firstRoundMs, roundMs } = this.#times;
    return (this.#shortLeft > 0 ? firstRoundMs() : roundMs) / this.infohashes.count;
  }

  #takeInOrder(now: number): Uint8Array {
    const dueMs = this.#due(now);
    let index = this.#last ? this.infohashes.firstFrom(this.#last) : 0;
    // Those that were left of the round may be gone.
    if (index >= this.infohashes.count) {
      this.#endRound();
      index = 0;
    }
    if (index === 0) {
      // By now the last announce of the round before is counted, too.
      this.#takenBefore = this.#taken;
      this.#taken = 0;
    }
    const infohash = this.infohashes.at(index);
    this.#last = following(infohash);
    if (index === this.infohashes.count - 1) this.#endRound();
    this.#dueMs = dueMs + this.#shareMs();
    if (this.#shortLeft > 0) {
      this.#shortLeft -= 1;
      if (this.#shortLeft === 0) this.#dueMs = Math.max(this.#dueMs, this.#afterShortMs());
    }
    return infohash;
  }

  #endRound(): void {
    this.#last = undefined;
    this.#rounds += 1;
  }

  /** The turns after a short round are spread so that none comes later than a round after the one before. */
  #afterShortMs(): number {
    const { firstRoundMs, phase } = this.#times;
    return this.#beganMs + firstRoundMs() + this.#shareMs() * phase;
  }
}

/** The infohash after this one. */
function following(infohash: Uint8Array): Uint8Array {
  const next = Uint8Array.from(infohash);
  for (let i = NODE_ID_BYTES - 1; i >= 0; i -= 1) {
    next[i]! += 1;
    if (next[i] !== 0) break;
  }
  return next;
}
