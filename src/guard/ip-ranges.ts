import { readUint32 } from "../base/bytes.ts";
import type { Work } from "../base/work.ts";
import { FilterError } from "./filter-error.ts";

/** Memory for all ranges together: 8 million of IPv4, or 2 million of IPv6. Sorting takes as much again for a moment. */
const RANGE_BYTES_MAX = 64 * 1024 * 1024;
/** Ranges that one step of sorting or merging handles: well below a millisecond. */
const RANGES_PER_STEP = 2_048;

/** Ranges of addresses. Whether an address lies in one of them is a binary search. */
export class IpRanges {
  readonly #ipv4: RangeTable;
  readonly #ipv6: RangeTable;

  constructor(ipv4: RangeTable, ipv6: RangeTable) {
    this.#ipv4 = ipv4;
    this.#ipv6 = ipv6;
  }

  /** Ranges that overlapped or touched count as one. */
  get count(): number {
    return this.#ipv4.count + this.#ipv6.count;
  }

  /** @param address - 4 or 16 bytes. */
  has(address: Uint8Array): boolean {
    return (address.length === 4 ? this.#ipv4 : this.#ipv6).has(address);
  }
}

/** Collects ranges in any order. */
export class IpRangesBuilder {
  readonly #ipv4 = new RangeTable(1);
  readonly #ipv6 = new RangeTable(4);

  /**
   * @param first - 4 or 16 bytes; `last` has as many, and is not below it.
   * @throws {FilterError} `too-many`.
   */
  add(first: Uint8Array, last: Uint8Array): void {
    if (this.#ipv4.byteLength + this.#ipv6.byteLength >= RANGE_BYTES_MAX) {
      throw new FilterError("too-many", "the lists hold more ranges than 64 MiB of memory");
    }
    (first.length === 4 ? this.#ipv4 : this.#ipv6).add(first, last);
  }

  /** Sorts and merges. Nothing may be added afterwards. */
  *build(): Work<IpRanges> {
    yield* this.#ipv4.tidy();
    yield* this.#ipv6.tidy();
    return new IpRanges(this.#ipv4, this.#ipv6);
  }
}

/**
 * Ranges of one family in one typed array: the words of the first address, then those of the last. It sorts in steps,
 * so that a list of millions holds up nothing else.
 */
class RangeTable {
  /** 32-bit words of one address. */
  readonly #width: number;
  #words = new Uint32Array(64);
  #length = 0;
  #isSorted = true;

  constructor(width: number) {
    this.#width = width;
  }

  get count(): number {
    return this.#length / (2 * this.#width);
  }

  get byteLength(): number {
    return this.#length * 4;
  }

  add(first: Uint8Array, last: Uint8Array): void {
    const width = this.#width;
    if (this.#length + 2 * width > this.#words.length) this.#resize(this.#words.length * 2);
    const at = this.#length;
    for (let i = 0; i < width; i += 1) {
      this.#words[at + i] = readUint32(first, i * 4);
      this.#words[at + width + i] = readUint32(last, i * 4);
    }
    this.#length += 2 * width;
    // Most lists are sorted already.
    if (at > 0 && this.#isSorted) {
      this.#isSorted = compareWords(this.#words, at - 2 * width, this.#words, at, width) <= 0;
    }
  }

  has(address: Uint8Array): boolean {
    const width = this.#width;
    const wanted = new Uint32Array(width);
    for (let i = 0; i < width; i += 1) wanted[i] = readUint32(address, i * 4);
    let low = 0;
    let high = this.count;
    // The first range that begins behind the address is `low` in the end.
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareWords(this.#words, middle * 2 * width, wanted, 0, width) <= 0) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return false;
    const last = (low - 1) * 2 * width + width;
    return compareWords(this.#words, last, wanted, 0, width) >= 0;
  }

  *tidy(): Work<void> {
    if (!this.#isSorted) yield* this.#sort();
    yield* this.#merge();
    this.#resize(this.#length);
  }

  /** Merges sorted runs, pair by pair, until one is left. */
  *#sort(): Work<void> {
    const size = 2 * this.#width;
    const length = this.#length;
    let from = this.#words;
    let to = new Uint32Array(from.length);
    for (let run = size; run < length; run *= 2) {
      let steps = 0;
      for (let start = 0; start < length; start += 2 * run) {
        let left = start;
        let right = Math.min(start + run, length);
        const leftEnd = right;
        const rightEnd = Math.min(start + 2 * run, length);
        for (let at = start; at < rightEnd; at += size) {
          const takesLeft =
            right >= rightEnd ||
            (left < leftEnd && compareWords(from, left, from, right, this.#width) <= 0);
          const taken = takesLeft ? left : right;
          for (let i = 0; i < size; i += 1) to[at + i] = from[taken + i]!;
          if (takesLeft) left += size;
          else right += size;
          steps += 1;
          if (steps % RANGES_PER_STEP === 0) yield;
        }
      }
      [from, to] = [to, from];
      yield;
    }
    this.#words = from;
    this.#isSorted = true;
  }

  /** Makes one range of those that overlap or touch. */
  *#merge(): Work<void> {
    const width = this.#width;
    const size = 2 * width;
    const words = this.#words;
    let end = 0;
    for (let at = 0; at < this.#length; at += size) {
      if (at % (RANGES_PER_STEP * size) === 0) yield;
      const before = end - width;
      if (end > 0 && this.#reaches(before, at)) {
        if (compareWords(words, at + width, words, before, width) > 0) {
          words.copyWithin(before, at + width, at + size);
        }
      } else {
        words.copyWithin(end, at, at + size);
        end += size;
      }
    }
    this.#length = end;
  }

  /** @returns Whether the address at `next` is in the range that ends at `last`, or just behind it. */
  #reaches(last: number, next: number): boolean {
    const width = this.#width;
    const words = this.#words;
    if (compareWords(words, next, words, last, width) <= 0) return true;
    for (let i = width - 1; i >= 0; i -= 1) {
      const successor = (words[last + i]! + 1) >>> 0;
      if (words[next + i] !== successor) return false;
      // Without a carry the words before are the same.
      if (successor !== 0) return compareWords(words, next, words, last, i) === 0;
    }
    return false;
  }

  #resize(length: number): void {
    const words = new Uint32Array(length);
    words.set(this.#words.subarray(0, this.#length));
    this.#words = words;
  }
}

function compareWords(
  a: Uint32Array,
  aStart: number,
  b: Uint32Array,
  bStart: number,
  width: number,
): number {
  for (let i = 0; i < width; i += 1) {
    const difference = a[aStart + i]! - b[bStart + i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
