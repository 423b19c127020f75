import { DelayHistory } from "./delay-history.ts";
import { microsecondsBetween, toMicroseconds } from "./sequence.ts";

/** Clocks drift apart by less between two packets; more is a shorter way, or a lie. */
const DRIFT_US_MAX = 10_000;
/** A delay that exceeds what the round trip allows by so much means that a clock jumped. */
const JUMP_US = 1_000_000;

/** What the queues between two peers delay packets by: the differences of two clocks that nobody set. */
export class DelayMeter {
  readonly #ours = new DelayHistory();
  readonly #theirs = new DelayHistory();
  readonly #roundTrips = new DelayHistory();
  #roundTripQueueUs = 0;
  #queueUs = 0;
  #difference = 0;

  /** What we tell the peer about its last packet; 0 before there was one. */
  get difference(): number {
    return this.#difference;
  }

  /** How late our packets are at the peer because of queues. */
  get queueUs(): number {
    return this.#queueUs;
  }

  /** How late both directions are together, by our own clock. */
  get roundTripQueueUs(): number {
    return this.#roundTripQueueUs;
  }

  get roundTripBaseUs(): number {
    return this.#roundTrips.isEmpty ? 0 : this.#roundTrips.base;
  }

  /** A packet of the peer arrived. */
  handleTimestamp(timestamp: number, nowMs: number): void {
    this.#difference = (toMicroseconds(nowMs) - timestamp) >>> 0;
    const isFirst = this.#theirs.isEmpty;
    const before = this.#theirs.base;
    this.#theirs.add(this.#difference, nowMs);
    // When their packets arrive earlier and earlier, their clock runs faster than ours, and makes our packets look late.
    const fall = isFirst ? 0 : microsecondsBetween(this.#theirs.base, before);
    if (fall > 0 && fall <= DRIFT_US_MAX && !this.#ours.isEmpty) this.#ours.shift(fall);
  }

  /** The peer acknowledged a packet that was sent once. */
  handleRoundTrip(roundTripMs: number, nowMs: number): void {
    this.#roundTripQueueUs = this.#roundTrips.add(Math.round(roundTripMs * 1000) >>> 0, nowMs);
  }

  /** The peer told how late our last packet was. */
  handleDifference(difference: number, nowMs: number): void {
    if (difference === 0) return;
    this.#queueUs = this.#ours.add(difference, nowMs);
    if (this.#queueUs <= this.#roundTripQueueUs + JUMP_US) return;
    this.#ours.clear();
    this.#queueUs = this.#ours.add(difference, nowMs);
  }
}
