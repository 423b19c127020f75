/** So many bytes may leave at once at any rate. */
const BURST_BYTES_MIN = 16 * 1452;
/** What would have left in this time may leave at once: timers are no finer. */
const BURST_MS = 10;
/** Faster than the window fills, so that pacing delays bursts and never limits the rate. */
const HEADROOM = 1.5;
const HEADROOM_SLOW_START = 2.5;
/** On shorter ways acks come often enough to pace by themselves. */
const ROUND_TRIP_MS_MIN = 5;

/** Spreads a window over its round trip, so that it does not fill a router's queue at once. */
export class Pacer {
  #allowance = BURST_BYTES_MIN;
  #atMs = 0;

  /** Updates what may leave now. */
  advance(now: {
    readonly nowMs: number;
    readonly windowBytes: number;
    readonly roundTripMs: number | undefined;
    readonly isSlowStart: boolean;
  }): void {
    const { nowMs, roundTripMs } = now;
    if (roundTripMs === undefined || roundTripMs < ROUND_TRIP_MS_MIN) {
      this.#allowance = Number.POSITIVE_INFINITY;
      this.#atMs = nowMs;
      return;
    }
    const headroom = now.isSlowStart ? HEADROOM_SLOW_START : HEADROOM;
    const bytesPerMs = (headroom * now.windowBytes) / roundTripMs;
    const earned = this.#allowance + (nowMs - this.#atMs) * bytesPerMs;
    this.#allowance = Math.min(earned, Math.max(BURST_BYTES_MIN, bytesPerMs * BURST_MS));
    this.#atMs = nowMs;
  }

  get mayDepart(): boolean {
    return this.#allowance > 0;
  }

  depart(bytes: number): void {
    this.#allowance -= bytes;
  }
}
