import { scatter } from "./infohash-scatter.ts";

const WORDS = 5;
const EMPTY = -1;
const INITIAL_SLOTS = 1024;
/** The largest fraction of slots in use. */
const LOAD_MAX = 0.5;

/**
 * Maps the 20 bytes of an infohash to a swarm's number: open addressing in typed arrays, 48 to 96
 * bytes an entry. Several infohashes may map to one swarm (hybrid torrents), which is why this is not
 * `InfohashIndex`, where every infohash has a number of its own.
 */
export class InfohashTable {
  /** Random for each process: strangers choose infohashes, but not the slots they hash to. */
  readonly #key: number;
  #words = new Int32Array(INITIAL_SLOTS * WORDS);
  #swarms = new Int32Array(INITIAL_SLOTS).fill(EMPTY);
  #mask = INITIAL_SLOTS - 1;
  #count = 0;

  constructor(key: number) {
    this.#key = key | 0;
  }

  /** @returns -1 when the infohash is absent. */
  find(infohash: Int32Array): number {
    return this.#swarms[this.#slotOf(infohash, 0)]!;
  }

  /** Adds or replaces an entry. */
  set(infohash: Int32Array, swarm: number): void {
    if (this.#count + 1 > (this.#mask + 1) * LOAD_MAX) this.#grow();
    const slot = this.#slotOf(infohash, 0);
    if (this.#swarms[slot] === EMPTY) {
      this.#count += 1;
      for (let i = 0; i < WORDS; i += 1) this.#words[slot * WORDS + i] = infohash[i]!;
    }
    this.#swarms[slot] = swarm;
  }

  /** Does nothing when the infohash is absent. */
  delete(infohash: Int32Array): void {
    let hole = this.#slotOf(infohash, 0);
    if (this.#swarms[hole] === EMPTY) return;
    this.#count -= 1;
    // Move back the entries that were pushed past the hole, so that every search still ends at an
    // empty slot.
    for (let slot = (hole + 1) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      if (this.#swarms[slot] === EMPTY) break;
      const home = this.#homeOf(this.#words, slot * WORDS);
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#words.copyWithin(hole * WORDS, slot * WORDS, (slot + 1) * WORDS);
      this.#swarms[hole] = this.#swarms[slot]!;
      hole = slot;
    }
    this.#swarms[hole] = EMPTY;
  }

  /** @returns The infohash's slot, or the empty slot where it belongs. */
  #slotOf(source: Int32Array, offset: number): number {
    const words = this.#words;
    const swarms = this.#swarms;
    let slot = this.#homeOf(source, offset);
    while (swarms[slot] !== EMPTY) {
      const at = slot * WORDS;
      if (
        words[at] === source[offset] &&
        words[at + 1] === source[offset + 1] &&
        words[at + 2] === source[offset + 2] &&
        words[at + 3] === source[offset + 3] &&
        words[at + 4] === source[offset + 4]
      ) {
        return slot;
      }
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #homeOf(words: Int32Array, offset: number): number {
    return scatter(this.#key, words, offset) & this.#mask;
  }

  #grow(): void {
    const [words, swarms] = [this.#words, this.#swarms];
    const slots = swarms.length * 2;
    this.#words = new Int32Array(slots * WORDS);
    this.#swarms = new Int32Array(slots).fill(EMPTY);
    this.#mask = slots - 1;
    for (let from = 0; from < swarms.length; from += 1) {
      if (swarms[from] === EMPTY) continue;
      const slot = this.#slotOf(words, from * WORDS);
      this.#words.set(words.subarray(from * WORDS, (from + 1) * WORDS), slot * WORDS);
      this.#swarms[slot] = swarms[from]!;
    }
  }
}
