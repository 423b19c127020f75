import { BLOCK_BYTES } from "../../base/geometry.ts";

/** A limit saves up what was not used for this long, and drops the rest. */
const BURST_MS = 250;

/** Even at a low rate it saves up one block to pass, and the next while the first waits its turn. */
const BURST_BYTES_MIN = 2 * BLOCK_BYTES;

/**
 * A limit of bytes per second, as a token bucket. A `take` larger than the balance leaves a debt that is waited off, so
 * the average is exact at any rate and for takes of any size.
 *
 * It does not queue: a caller that finds nothing `available` waits until `nextAvailable` and is served in turn. The
 * burst is short, so turns are short.
 */
export class RateLimit {
  #bytesPerSecond: number;
  #tokens: number;
  #filledAtMs: number | undefined;

  /** @param bytesPerSecond - 0 is unlimited. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#tokens = Math.max(BLOCK_BYTES, (bytesPerSecond * BURST_MS) / 1000);
  }

  /** 0 is unlimited. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** @param bytesPerSecond - 0 is unlimited. */
  setRate(bytesPerSecond: number): void {
    const wasUnlimited = this.#bytesPerSecond === 0;
    this.#bytesPerSecond = bytesPerSecond;
    // A debt made at the old rate would take ages to pay off at a low one.
    const burst = this.#burstBytes;
    this.#tokens = wasUnlimited ? burst : Math.max(-burst, Math.min(this.#tokens, burst));
  }

  /** Whole bytes that may pass now; `Infinity` when unlimited. */
  available(now: number): number {
    if (this.#bytesPerSecond === 0) return Number.POSITIVE_INFINITY;
    this.#fill(now);
    return Math.max(0, Math.floor(this.#tokens));
  }

  /** Counts bytes that pass now. */
  take(bytes: number, now: number): void {
    if (this.#bytesPerSecond === 0) return;
    this.#fill(now);
    this.#tokens -= bytes;
  }

  /** Bytes that were counted did not pass. */
  giveBack(bytes: number, now: number | undefined): void {
    if (this.#bytesPerSecond === 0) return;
    if (now !== undefined) this.#fill(now);
    this.#tokens = Math.min(this.#tokens + bytes, this.#burstBytes);
  }

  /** When a block may pass, if nobody takes the bytes before; `now` when it may pass at once. */
  nextAvailable(now: number): number {
    if (this.#bytesPerSecond === 0) return now;
    this.#fill(now);
    const missing = BLOCK_BYTES - this.#tokens;
    return missing <= 0 ? now : now + Math.ceil((missing * 1000) / this.#bytesPerSecond);
  }

  get #burstBytes(): number {
    return Math.max(BURST_BYTES_MIN, (this.#bytesPerSecond * BURST_MS) / 1000);
  }

  #fill(now: number): void {
    const elapsedMs = now - (this.#filledAtMs ?? now);
    this.#filledAtMs = now;
    if (elapsedMs <= 0) return;
    const tokens = this.#tokens + (elapsedMs * this.#bytesPerSecond) / 1000;
    this.#tokens = Math.min(tokens, this.#burstBytes);
  }
}
