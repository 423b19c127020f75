import type { Random } from "../ports/random.ts";

const BUCKETS = 16_384;
/**
 * A client that starts announces all its torrents, so an address may send this many seconds' worth
 * of requests at once.
 */
const BURST_S = 10;

/**
 * Limits the request rate of each address (TRK-11) in a fixed 200 kB: addresses share buckets. Only
 * the first 64 bits of an IPv6 address count, as in `AddressQuota`.
 */
export class AnnounceRate {
  readonly #perSecondMax: number;
  readonly #key: number;
  /** The requests not yet drained from each bucket, and the time of that figure in milliseconds. */
  readonly #levels = new Float32Array(BUCKETS);
  readonly #atMs = new Float64Array(BUCKETS);

  constructor(perSecondMax: number, random: Random) {
    this.#perSecondMax = perSecondMax;
    this.#key = random.below(0x1_0000_0000) | 0;
  }

  /**
   * @param address - 4 or 16 bytes.
   * @returns False when this request exceeds the rate; it is then not counted.
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
