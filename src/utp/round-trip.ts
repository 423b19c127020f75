/** Before a round trip was measured. */
const TIMEOUT_FIRST_MS = 1000;
const TIMEOUT_MIN_MS = 500;
const TIMEOUT_MAX_MS = 30_000;

/** How long a packet and its ack take, and how long we wait for it (BEP 29). */
export class RoundTrip {
  #meanMs = 0;
  #deviationMs = 0;
  #timeouts = 0;
  /** How often the wait was doubled. */
  #doublings = 0;

  /** Undefined before the first sample. */
  get meanMs(): number | undefined {
    return this.#meanMs > 0 ? this.#meanMs : undefined;
  }

  /** How many times in a row nothing was acknowledged in time. */
  get timeouts(): number {
    return this.#timeouts;
  }

  get timeoutMs(): number {
    const single =
      this.#meanMs > 0
        ? Math.max(this.#meanMs + 4 * this.#deviationMs, TIMEOUT_MIN_MS)
        : TIMEOUT_FIRST_MS;
    return Math.min(single * 2 ** this.#doublings, TIMEOUT_MAX_MS);
  }

  /** @param sampleMs - Of a packet that was sent only once: of others we cannot know which sending was acknowledged. */
  add(sampleMs: number): void {
    // A clock of whole milliseconds measures 0 on loopback.
    const sample = Math.max(sampleMs, 0.001);
    this.#doublings = 0;
    if (this.#meanMs === 0) {
      this.#meanMs = sample;
      this.#deviationMs = sample / 2;
      return;
    }
    this.#deviationMs += (Math.abs(this.#meanMs - sample) - this.#deviationMs) / 4;
    this.#meanMs += (sample - this.#meanMs) / 8;
  }

  /**
   * Something was acknowledged. The wait stays long until there is a sample: on a way that takes longer than the wait,
   * everything is sent twice, and there would never be one.
   */
  progressed(): void {
    this.#timeouts = 0;
  }

  /** The peer answers but has no room: ask again as soon as at first. */
  startAgain(): void {
    this.#timeouts = 0;
    this.#doublings = 0;
  }

  timedOut(): void {
    this.#timeouts += 1;
    this.#doublings += 1;
  }
}
