import { invariant } from "./errors.ts";

/**
 * A set of piece indexes in the layout of the wire's bitfield message (BEP 3): bit 7 of byte 0 is
 * piece 0, spare bits at the end are zero. Knows how many bits are set.
 */
export class Bitfield {
  readonly length: number;
  readonly bytes: Uint8Array;
  #count: number;

  /** @param length - Bits. */
  constructor(length: number) {
    this.length = length;
    this.bytes = new Uint8Array((length + 7) >>> 3);
    this.#count = 0;
  }

  /**
   * Copies a bitfield that was received.
   *
   * @returns `undefined` when the size is wrong or a spare bit is set (WIR-4).
   */
  static from(bytes: Uint8Array, length: number): Bitfield | undefined {
    if (bytes.length !== (length + 7) >>> 3) return undefined;
    const spare = bytes.length * 8 - length;
    if (spare > 0 && (bytes[bytes.length - 1]! & ((1 << spare) - 1)) !== 0) return undefined;
    const bitfield = new Bitfield(length);
    bitfield.bytes.set(bytes);
    bitfield.#recount();
    return bitfield;
  }

  /** Bits that are set. */
  get count(): number {
    return this.#count;
  }

  /** True when every bit is set. */
  get full(): boolean {
    return this.#count === this.length;
  }

  /** @param index - An index outside the range counts as not set. */
  has(index: number): boolean {
    return ((this.bytes[index >>> 3] ?? 0) & (0x80 >>> (index & 7))) !== 0;
  }

  /** @returns True when the bit was not set before. */
  add(index: number): boolean {
    invariant(index >= 0 && index < this.length, "callers check indexes from outside");
    if (this.has(index)) return false;
    this.bytes[index >>> 3]! |= 0x80 >>> (index & 7);
    this.#count += 1;
    return true;
  }

  /** @returns True when the bit was set before. */
  delete(index: number): boolean {
    if (!this.has(index)) return false;
    this.bytes[index >>> 3]! &= ~(0x80 >>> (index & 7));
    this.#count -= 1;
    return true;
  }

  /** Sets every bit. */
  fill(): void {
    this.bytes.fill(0xff);
    const spare = this.bytes.length * 8 - this.length;
    if (spare > 0) this.bytes[this.bytes.length - 1] = (0xff << spare) & 0xff;
    this.#count = this.length;
  }

  /** Clears every bit. */
  clear(): void {
    this.bytes.fill(0);
    this.#count = 0;
  }

  clone(): Bitfield {
    const copy = new Bitfield(this.length);
    copy.bytes.set(this.bytes);
    copy.#count = this.#count;
    return copy;
  }

  /** The set indexes, ascending. */
  *indexes(): Generator<number> {
    for (let byte = 0; byte < this.bytes.length; byte += 1) {
      let bits = this.bytes[byte]!;
      while (bits !== 0) {
        const bit = Math.clz32(bits) - 24;
        yield byte * 8 + bit;
        bits &= ~(0x80 >>> bit);
      }
    }
  }

  #recount(): void {
    let count = 0;
    for (let bits of this.bytes) {
      while (bits !== 0) {
        bits &= bits - 1;
        count += 1;
      }
    }
    this.#count = count;
  }
}
