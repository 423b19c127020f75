/** A single packet is acknowledged after this; two at once. */
const DELAY_MS = 10;
const PACKETS = 2;
const NEVER = Number.POSITIVE_INFINITY;

/** When the peer's packets are acknowledged by a packet of our own. */
export class AckPolicy {
  #packets = 0;
  #dueMs = NEVER;
  #isUrgent = false;

  /** When an ack is due at the latest; Infinity when none is. */
  get dueMs(): number {
    return this.#dueMs;
  }

  isDue(nowMs: number): boolean {
    return this.#isUrgent || this.#packets >= PACKETS || nowMs >= this.#dueMs;
  }

  /** A packet arrived in order. */
  handleNext(nowMs: number): void {
    this.#packets += 1;
    if (this.#packets === 1) this.#dueMs = nowMs + DELAY_MS;
  }

  /** The peer has to know at once: of a hole, of what came twice, of room. */
  hurry(): void {
    this.#isUrgent = true;
  }

  /** A packet of ours told the peer everything. */
  acknowledged(): void {
    this.#packets = 0;
    this.#dueMs = NEVER;
    this.#isUrgent = false;
  }
}
