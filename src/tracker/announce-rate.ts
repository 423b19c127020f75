import type { Random } from "../ports/random.ts";

const BUCKETS = 16_384;
/** Seconds of requests that may come at once: a client that starts announces all its torrents. */
const BURST_S = 10;

/**
 * How fast each address asks (TRK-11), in 200 kB whatever happens: addresses share buckets. Of an IPv6
 * address the first 64 bits count, as in `AddressQuota`.
 */
export class AnnounceRate {
  readonly #perSecondMax: number;
  readonly #key: number;
  /** Requests that have not run off yet, and when that was reckoned, in milliseconds. */
  readonly #levels = new Float32Array(BUCKETS);
  readonly #atMs = new Float64Array(BUCKETS);

  constructor(perSecondMax: number, random: Random) {
    this.#perSecondMax = perSecondMax;
    this.#key = random.below(0x1_0000_0000) | 0;
  }

  /**
   * @param address - 4 or 16 bytes.
   * @returns False when this request is one too many; it does not count then.
   */
  take(address: Uint8Array, nowMs: number): boolean {
    const bucket = this.#bucket(address);
    const runOff = ((nowMs - this.#atMs[bucket]!) / 1000) * this.#perSecondMax;
    const level = Math.max(0, this.#levels[bucket]! - runOff);
    const isTaken = level + 1 <= this.#perSecondMax * BURST_S;
    this.#levels[bucket] = isTaken ? level + 1 : level;
    this.#atMs[bucket] = nowMs;
    return isTaken;
  }

  #bucket(address: Uint8Array): number {
    const counted = address.length === 4 ? 4 : 8;
    let mixed = this.#key;
    for (let i = 0; i < counted; i += 1) {
      mixed = Math.imul(mixed ^ address[i]!, 0x85ebca6b);
      mixed ^= mixed >>> 13;
    }
    return (mixed ^ (mixed >>> 16)) & (BUCKETS - 1);
  }
}
