/** For choking: long enough to tell a good peer from a lucky second. */
export const CHOKING_WINDOW_MS = 20_000;

/** For pipelining and for users: follows a change quickly. */
export const PIPELINE_WINDOW_MS = 3_000;

/** After this long without a byte users should read 0, not the rest of an average. */
export const SILENCE_MS = 5_000;

/** A shorter time means nothing: the first block alone would read as millions of bytes per second. */
const YOUNG_MS = 1_000;

/**
 * Bytes per second, averaged with weights that fade over `windowMs`. During the first window it is the plain average
 * since the start, so that a new peer does not look slow.
 */
export class RateMeter {
  readonly #windowMs: number;
  readonly #weightMin: number;
  /** The faded average; too low by `#weight` while the meter is young. */
  #average = 0;
  /** Sum of the weights of all time seen so far, 0 to 1. */
  #weight = 0;
  #pending = 0;
  #updatedAtMs: number | undefined;
  #addedAtMs: number | undefined;
  readonly #silenceMs: number;

  /** @param silenceMs - After this long without a byte the rate is 0, and the meter starts over. */
  constructor(windowMs = PIPELINE_WINDOW_MS, silenceMs = Infinity) {
    this.#windowMs = windowMs;
    this.#silenceMs = silenceMs;
    this.#weightMin = 1 - Math.exp(-YOUNG_MS / windowMs);
  }

  /** @param now - Milliseconds that never jump back. The first call, also after a silence, starts the clock. */
  add(bytes: number, now: number): void {
    if (this.#isSilent(now)) this.#begin(now);
    this.#addedAtMs = now;
    this.#updatedAtMs ??= now;
    this.#pending += bytes;
  }

  bytesPerSecond(now: number): number {
    if (this.#isSilent(now)) return 0;
    this.#updatedAtMs ??= now;
    const elapsedMs = now - this.#updatedAtMs;
    if (elapsedMs > 0) {
      const fade = Math.exp(-elapsedMs / this.#windowMs);
      this.#average = this.#average * fade + ((this.#pending * 1000) / elapsedMs) * (1 - fade);
      this.#weight = this.#weight * fade + (1 - fade);
      this.#pending = 0;
      this.#updatedAtMs = now;
    }
    return this.#average / Math.max(this.#weight, this.#weightMin);
  }

  #isSilent(now: number): boolean {
    if (this.#silenceMs === Infinity) return false;
    return this.#addedAtMs === undefined || now - this.#addedAtMs >= this.#silenceMs;
  }

  #begin(now: number): void {
    this.#average = 0;
    this.#weight = 0;
    this.#pending = 0;
    this.#updatedAtMs = now;
  }
}
