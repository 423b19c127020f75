import { sha1 } from "../base/hash.ts";

/** Bytes of `BFsd` and `BFpe` (BEP 33). */
export const BLOOM_BYTES = 256;
const BITS = BLOOM_BYTES * 8;
/** Bits set for each address. */
const HASHES = 2;

/**
 * A set of addresses in 256 bytes (BEP 33). It tells how many there are, roughly, and filters of several nodes can be
 * joined without counting anybody twice.
 */
export class BloomFilter {
  readonly bytes: Uint8Array;

  /** @param bytes - 256 bytes to read; an empty filter when left out. */
  constructor(bytes: Uint8Array = new Uint8Array(BLOOM_BYTES)) {
    this.bytes = bytes;
  }

  /** @param address - 4 or 16 bytes. */
  add(address: Uint8Array): void {
    const digest = sha1(address);
    for (let offset = 0; offset < HASHES * 2; offset += 2) {
      const bit = (digest[offset]! | (digest[offset + 1]! << 8)) % BITS;
      this.bytes[bit >> 3]! |= 1 << (bit & 7);
    }
  }

  /** Adds what another filter holds. */
  join(other: Uint8Array): void {
    for (let i = 0; i < BLOOM_BYTES; i += 1) this.bytes[i]! |= other[i]!;
  }

  /** How many different addresses were added, about; a full filter says 6000. */
  estimate(): number {
    let zeros = 0;
    for (const byte of this.bytes)
      for (let bit = 0; bit < 8; bit += 1) if (!(byte & (1 << bit))) zeros += 1;
    const counted = Math.max(1, Math.min(BITS - 1, zeros));
    if (zeros === BITS) return 0;
    return Math.log(counted / BITS) / (HASHES * Math.log(1 - 1 / BITS));
  }
}
