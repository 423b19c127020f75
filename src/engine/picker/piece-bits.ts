import type { Bitfield } from "../../base/bitfield.ts";

/**
 * A set of pieces as 32-bit words: two sets are intersected 32 pieces at a time, and the first
 * piece of a word is its number of leading zeros. The top bit of word 0 is piece 0.
 */
export class PieceBits {
  readonly words: Int32Array;

  /** @param length - Pieces. */
  constructor(length: number) {
    this.words = new Int32Array((length + 31) >>> 5);
  }

  static from(bitfield: Bitfield): PieceBits {
    const bits = new PieceBits(bitfield.length);
    const { bytes } = bitfield;
    for (let i = 0; i < bytes.length; i += 1) {
      bits.words[i >>> 2]! |= bytes[i]! << (24 - ((i & 3) << 3));
    }
    return bits;
  }

  has(piece: number): boolean {
    return (this.words[piece >>> 5]! & (0x8000_0000 >>> (piece & 31))) !== 0;
  }

  add(piece: number): void {
    this.words[piece >>> 5]! |= 0x8000_0000 >>> (piece & 31);
  }

  delete(piece: number): void {
    this.words[piece >>> 5]! &= ~(0x8000_0000 >>> (piece & 31));
  }

  /** The pieces in ascending order. */
  *pieces(): Generator<number> {
    for (let word = 0; word < this.words.length; word += 1) {
      let rest = this.words[word]!;
      while (rest !== 0) {
        const bit = Math.clz32(rest);
        rest &= ~(0x8000_0000 >>> bit);
        yield word * 32 + bit;
      }
    }
  }

  clear(): void {
    this.words.fill(0);
  }

  /** Sets the first `length` pieces. */
  fill(length: number): void {
    this.words.fill(-1);
    const spare = this.words.length * 32 - length;
    if (spare > 0) this.words[this.words.length - 1] = -1 << spare;
  }

  /** The number of pieces in both sets. */
  countCommon(other: PieceBits): number {
    let count = 0;
    for (let i = 0; i < this.words.length; i += 1) {
      count += countOnes(this.words[i]! & other.words[i]!);
    }
    return count;
  }
}

function countOnes(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  x = (x + (x >>> 4)) & 0x0f0f_0f0f;
  return Math.imul(x, 0x0101_0101) >>> 24;
}
