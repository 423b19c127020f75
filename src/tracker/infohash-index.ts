import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { scatter } from "./infohash-scatter.ts";

const WORDS = INFOHASH_V1_BYTES / 4;
const NONE = -1;
/** Both are powers of two; there are at least twice as many slots as infohashes. */
const INITIAL_NUMBERS = 1024;
const SLOTS_PER_NUMBER = 2;

/**
 * Gives very many infohashes small, reusable numbers, so that other tables can keep their values in
 * arrays. An infohash takes 28 bytes (up to twice that right after the arrays have grown), where
 * `InfohashTable` takes 48 to 96. The price is one more memory read for each search.
 */
export class InfohashIndex {
  /** Random for each process: strangers choose infohashes, but not the slots they hash to. */
  readonly #key: number;
  /** The words of each infohash, by number. */
  #words = new Int32Array(INITIAL_NUMBERS * WORDS);
  /** Whether a number is taken, by number. */
  #taken = new Uint8Array(INITIAL_NUMBERS);
  /** The number plus one, by slot of the hash table; zero marks an empty slot. */
  #slots = new Int32Array(INITIAL_NUMBERS * SLOTS_PER_NUMBER);
  #mask = INITIAL_NUMBERS * SLOTS_PER_NUMBER - 1;
  readonly #free: number[] = [];
  #end = 0;
  /** The infohash being searched for, in both forms. */
  readonly #soughtWords = new Int32Array(WORDS);
  readonly #soughtBytes = new Uint8Array(this.#soughtWords.buffer);

  /** @param key - 32 secret bits. */
  constructor(key: number) {
    this.#key = key | 0;
  }

  /** Infohashes in the index. */
  get count(): number {
    return this.#end - this.#free.length;
  }

  /** One past the largest number given out so far. */
  get end(): number {
    return this.#end;
  }

  /** Numbers there is room for; arrays kept by number grow with it. */
  get capacity(): number {
    return this.#taken.length;
  }

  /** @param infohash - 20 bytes. @returns -1 when it has no number. */
  find(infohash: Uint8Array): number {
    this.#soughtBytes.set(infohash);
    return this.#slots[this.#slotOf(this.#soughtWords, 0)]! - 1;
  }

  /** @param infohash - 20 bytes; they are copied. @returns Its number, which it may have had already. */
  add(infohash: Uint8Array): number {
    const known = this.find(infohash);
    if (known !== NONE) return known;
    const number = this.#free.pop() ?? this.#end;
    if (number === this.#end) this.#end += 1;
    if (number >= this.#taken.length) this.#grow();
    this.#words.set(this.#soughtWords, number * WORDS);
    this.#taken[number] = 1;
    this.#slots[this.#slotOf(this.#words, number * WORDS)] = number + 1;
    return number;
  }

  /** Takes back a number that was given. */
  delete(number: number): void {
    let hole = this.#slotOf(this.#words, number * WORDS);
    // Move back the entries that were pushed past the hole, so that every search still ends at an
    // empty slot.
    for (
      let slot = (hole + 1) & this.#mask;
      this.#slots[slot] !== 0;
      slot = (slot + 1) & this.#mask
    ) {
      const home = this.#homeOf(this.#words, (this.#slots[slot]! - 1) * WORDS);
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#slots[hole] = this.#slots[slot]!;
      hole = slot;
    }
    this.#slots[hole] = 0;
    this.#taken[number] = 0;
    this.#free.push(number);
  }

  isTaken(number: number): boolean {
    return this.#taken[number] === 1;
  }

  /** @param number - A number in use. @returns 20 bytes. */
  infohash(number: number): Uint8Array {
    const words = this.#words.slice(number * WORDS, (number + 1) * WORDS);
    return new Uint8Array(words.buffer);
  }

  /** @returns The infohash's slot, or the empty slot where it belongs. */
  #slotOf(source: Int32Array, offset: number): number {
    const words = this.#words;
    const slots = this.#slots;
    let slot = this.#homeOf(source, offset);
    for (; slots[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const at = (slots[slot]! - 1) * WORDS;
      if (
        words[at] === source[offset] &&
        words[at + 1] === source[offset + 1] &&
        words[at + 2] === source[offset + 2] &&
        words[at + 3] === source[offset + 3] &&
        words[at + 4] === source[offset + 4]
      ) {
        break;
      }
    }
    return slot;
  }

  #homeOf(words: Int32Array, offset: number): number {
    return scatter(this.#key, words, offset) & this.#mask;
  }

  #grow(): void {
    const numbers = this.#taken.length * 2;
    const words = new Int32Array(numbers * WORDS);
    words.set(this.#words);
    const taken = new Uint8Array(numbers);
    taken.set(this.#taken);
    const before = this.#slots;
    this.#words = words;
    this.#taken = taken;
    this.#slots = new Int32Array(numbers * SLOTS_PER_NUMBER);
    this.#mask = this.#slots.length - 1;
    for (const slot of before) {
      if (slot !== 0) this.#slots[this.#slotOf(words, (slot - 1) * WORDS)] = slot;
    }
  }
}
