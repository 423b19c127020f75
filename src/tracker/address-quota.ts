const COUNT_MAX = 65_535;

/**
 * Counts the entries of each address (TRK-10) in a fixed two bytes a bucket. Addresses share
 * counters, so a count may be too high by the few entries of a stranger, but never too low. Only
 * the first 64 bits of an IPv6 address count, or fewer, because its owner controls all the rest.
 */
export class AddressQuota {
  readonly #counts: Uint16Array;
  readonly #key: number;
  /** The bits of an IPv6 address's second word that count. */
  readonly #mask: number;

  /**
   * @param buckets - A power of two, well above the number of addresses at a time.
   * @param ipv6Bits - 33 to 64.
   */
  constructor(key: number, buckets: number, ipv6Bits = 64) {
    this.#key = key | 0;
    this.#mask = -1 << (64 - ipv6Bits);
    this.#counts = new Uint16Array(buckets);
  }

  /** @param swarm - Counts each swarm separately; pass the same number to count swarms together. */
  count(swarm: number, words: Int32Array, offset: number, addressWords: number): number {
    return this.#counts[this.#bucket(swarm, words, offset, addressWords)]!;
  }

  add(swarm: number, words: Int32Array, offset: number, addressWords: number): void {
    const bucket = this.#bucket(swarm, words, offset, addressWords);
    // The counter saturates: an approximate counter must not wrap to zero.
    if (this.#counts[bucket]! < COUNT_MAX) this.#counts[bucket]! += 1;
  }

  remove(swarm: number, words: Int32Array, offset: number, addressWords: number): void {
    const bucket = this.#bucket(swarm, words, offset, addressWords);
    if (this.#counts[bucket]! > 0) this.#counts[bucket]! -= 1;
  }

  #bucket(swarm: number, words: Int32Array, offset: number, addressWords: number): number {
    let mixed = words[offset]! ^ this.#key;
    if (addressWords > 1) mixed = Math.imul(mixed, 0x9e3779b1) ^ (words[offset + 1]! & this.#mask);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13) ^ swarm, 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) & (this.#counts.length - 1);
  }
}
