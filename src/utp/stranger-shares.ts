/** Packets a second from nobody we are connected to that get an answer (WIR-21). */
const ANSWERED_PER_SECOND = 5000;
/** Those of them that one address gets. A machine with 256 connections opens them within four seconds. */
const OF_ADDRESS_PER_SECOND = 64;
/** Counters of addresses, a power of two. Addresses that meet in one share it: the memory stays the same under any flood. */
const COUNTERS = 4096;

/**
 * Shares among strangers the answers that they get: one address that floods leaves those of others alone, and all together
 * cost only so much (WIR-21).
 */
export class StrangerShares {
  readonly #counters = new Uint8Array(COUNTERS);
  /** Makes which addresses meet in one counter a matter of chance that nobody outside can aim at. */
  readonly #salt: number;
  #answered = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** @param salt - 32 random bits. */
  constructor(salt: number) {
    this.#salt = salt;
  }

  /** @returns False when a packet from there is to be dropped. */
  take(address: string, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= 1000) {
      this.#sinceMs = nowMs;
      this.#answered = 0;
      this.#counters.fill(0);
    }
    if (this.#answered >= ANSWERED_PER_SECOND) return false;
    const at = this.#counterOf(address);
    if (this.#counters[at]! >= OF_ADDRESS_PER_SECOND) return false;
    this.#counters[at]! += 1;
    this.#answered += 1;
    return true;
  }

  /** FNV-1a over the characters. */
  #counterOf(address: string): number {
    let hash = this.#salt;
    for (let at = 0; at < address.length; at += 1) {
      hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193);
    }
    return (hash ^ (hash >>> 16)) & (COUNTERS - 1);
  }
}
