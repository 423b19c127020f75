const BUCKETS = 65_536;
const COUNT_MAX = 65_535;

/**
 * How many entries of the swarms each address has (TRK-10), in 128 kB whatever happens: addresses share
 * counters, so that a count may be too high by the few entries of a stranger, never too low. Of an IPv6
 * address the first 64 bits count: whoever has one has all of them.
 */
export class AddressQuota {
  readonly #counts = new Uint16Array(BUCKETS);
  readonly #key: number;

  constructor(key: number) {
    this.#key = key | 0;
  }

  count(words: Int32Array, offset: number, addressWords: number): number {
    return this.#counts[this.#bucket(words, offset, addressWords)]!;
  }

  add(words: Int32Array, offset: number, addressWords: number): void {
    const bucket = this.#bucket(words, offset, addressWords);
    // At the top it stays: an approximate counter must not wrap to zero.
    if (this.#counts[bucket]! < COUNT_MAX) this.#counts[bucket]! += 1;
  }

  remove(words: Int32Array, offset: number, addressWords: number): void {
    const bucket = this.#bucket(words, offset, addressWords);
    if (this.#counts[bucket]! > 0) this.#counts[bucket]! -= 1;
  }

  #bucket(words: Int32Array, offset: number, addressWords: number): number {
    let mixed = words[offset]! ^ this.#key;
    if (addressWords > 1) mixed = Math.imul(mixed, 0x9e3779b1) ^ words[offset + 1]!;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    return (mixed ^ (mixed >>> 13)) & (BUCKETS - 1);
  }
}
