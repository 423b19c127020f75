/** Room for the addresses of one answer, with most slots empty. A power of two. */
const SLOTS = 1024;

/**
 * The addresses that one answer already names, so that it names each address once before it repeats
 * one with another port. Only the first 64 bits of an IPv6 address count, as in `AddressQuota`, or
 * fewer. One object serves all answers: what an earlier answer left behind has an older stamp.
 */
export class AnswerAddresses {
  readonly #words = new Int32Array(SLOTS * 2);
  readonly #stamps = new Uint32Array(SLOTS);
  #stamp = 0;
  #count = 0;
  /** The bits of an IPv6 address's second word that count. */
  readonly #mask: number;

  /** @param ipv6Bits - 33 to 64. */
  constructor(ipv6Bits = 64) {
    this.#mask = -1 << (64 - ipv6Bits);
  }

  /** Starts the next answer. */
  clear(): void {
    this.#count = 0;
    this.#stamp = (this.#stamp + 1) >>> 0;
    if (this.#stamp !== 0) return;
    this.#stamps.fill(0);
    this.#stamp = 1;
  }

  /** @returns False when this answer already names the address. */
  add(page: Int32Array, entry: number, addressWords: number): boolean {
    const first = page[entry]!;
    const second = addressWords > 1 ? page[entry + 1]! & this.#mask : 0;
    let slot = (Math.imul(first ^ Math.imul(second, 0x9e3779b1), 0x85ebca6b) >>> 16) & (SLOTS - 1);
    for (; this.#stamps[slot] === this.#stamp; slot = (slot + 1) & (SLOTS - 1)) {
      if (this.#words[slot * 2] === first && this.#words[slot * 2 + 1] === second) return false;
    }
    // The table is half full, with more addresses than any answer holds.
    if (this.#count >= SLOTS / 2) return true;
    this.#count += 1;
    this.#stamps[slot] = this.#stamp;
    this.#words[slot * 2] = first;
    this.#words[slot * 2 + 1] = second;
    return true;
  }
}
