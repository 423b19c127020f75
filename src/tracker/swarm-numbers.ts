import { invariant } from "../base/errors.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { InfohashTable } from "./infohash-table.ts";

/** One for v1 and one for v2. */
const INFOHASHES_MAX = 2;
const INITIAL_SWARMS = 1024;

/**
 * Maps infohashes to the numbers of open swarms: one infohash, or both of a hybrid. Numbers are
 * small and reused, so that tables by swarm stay short.
 */
export class SwarmNumbers {
  readonly #byInfohash: InfohashTable;
  readonly #free: number[] = [];
  #end = 0;
  /** Two infohashes a swarm, by number, and how many of them are set; a free number has none. */
  #infohashes = new Uint8Array(INITIAL_SWARMS * INFOHASHES_MAX * INFOHASH_V1_BYTES);
  #infohashCounts = new Uint8Array(INITIAL_SWARMS);

  /** @param key - 32 bits unknown to anyone who chooses infohashes. */
  constructor(key: number) {
    this.#byInfohash = new InfohashTable(key);
  }

  /** Open swarms. */
  get count(): number {
    return this.#end - this.#free.length;
  }

  /** One past the largest number given out so far. */
  get end(): number {
    return this.#end;
  }

  /**
   * @param infohash - In the form `wordsOf` returns. @returns A negative number when no open swarm
   * has it.
   */
  find(infohash: Int32Array): number {
    return this.#byInfohash.find(infohash);
  }

  /**
   * @returns The number of a new swarm. Infohashes that led to another swarm now lead to this one.
   */
  open(infohashes: readonly Uint8Array[]): number {
    invariant(
      infohashes.length >= 1 && infohashes.length <= INFOHASHES_MAX,
      "a torrent has a v1 infohash, a v2 infohash, or both",
    );
    const swarm = this.#free.pop() ?? this.#end;
    if (swarm === this.#end) this.#end += 1;
    if (swarm >= this.#infohashCounts.length) this.#grow();
    this.#name(swarm, infohashes);
    return swarm;
  }

  /** Makes all of these infohashes lead to an open swarm that one of them already led to. */
  join(swarm: number, infohashes: readonly Uint8Array[]): void {
    invariant(
      this.isOpen(swarm) && infohashes.some((each) => this.find(wordsOf(each)) === swarm),
      "the torrent of the swarm is known better now, and no other",
    );
    this.#name(swarm, infohashes);
  }

  #name(swarm: number, infohashes: readonly Uint8Array[]): void {
    this.#infohashCounts[swarm] = infohashes.length;
    for (const [index, infohash] of infohashes.entries()) {
      this.#infohashes.set(infohash, (swarm * INFOHASHES_MAX + index) * INFOHASH_V1_BYTES);
      this.#byInfohash.set(wordsOf(infohash), swarm);
    }
  }

  /** @param swarm - An open one. */
  close(swarm: number): void {
    for (const infohash of this.infohashes(swarm)) {
      const words = wordsOf(infohash);
      // The other half of a hybrid may have opened a swarm for both in the meantime.
      if (this.#byInfohash.find(words) === swarm) this.#byInfohash.delete(words);
    }
    this.#infohashCounts[swarm] = 0;
    this.#free.push(swarm);
  }

  isOpen(swarm: number): boolean {
    return swarm < this.#end && this.#infohashCounts[swarm] !== 0;
  }

  infohashes(swarm: number): readonly Uint8Array[] {
    return Array.from({ length: this.#infohashCounts[swarm]! }, (_, index) => {
      const start = (swarm * INFOHASHES_MAX + index) * INFOHASH_V1_BYTES;
      return this.#infohashes.slice(start, start + INFOHASH_V1_BYTES);
    });
  }

  #grow(): void {
    const [infohashes, counts] = [this.#infohashes, this.#infohashCounts];
    this.#infohashes = new Uint8Array(infohashes.length * 2);
    this.#infohashes.set(infohashes);
    this.#infohashCounts = new Uint8Array(counts.length * 2);
    this.#infohashCounts.set(counts);
  }
}

/** Converts an infohash to the form `InfohashTable` takes. @param infohash - 20 bytes. */
export function wordsOf(infohash: Uint8Array): Int32Array {
  return new Int32Array(new Uint8Array(infohash).buffer);
}
