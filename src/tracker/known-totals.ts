import { InfohashIndex } from "./infohash-index.ts";

const NONE = -1;

/** Over all time, of one swarm. */
export interface SwarmTotals {
  readonly completed: number;
  /** Bytes, as the peers reported them. */
  readonly uploaded: number;
  readonly downloaded: number;
}

/**
 * Totals of all swarms that ever did something, in 48 bytes each: what a swarm goes on from when it opens, and what a
 * scrape tells of a torrent without peers.
 */
export class KnownTotals {
  readonly #index: InfohashIndex;
  /** By number of the infohash: completions, bytes uploaded, bytes downloaded. */
  #values = new Float64Array(0);

  /**
   * @param key - 32 bits that nobody outside knows.
   * @param saved - What earlier processes have saved.
   */
  constructor(key: number, saved: Iterable<SwarmTotals & { readonly infohash: Uint8Array }>) {
    this.#index = new InfohashIndex(key);
    for (const { infohash, ...totals } of saved) this.set(infohash, totals);
  }

  /** @param infohash - The first of its torrent, 20 bytes. */
  find(infohash: Uint8Array): SwarmTotals | undefined {
    const number = this.#index.find(infohash);
    if (number === NONE) return undefined;
    const at = number * 3;
    return {
      completed: this.#values[at]!,
      uploaded: this.#values[at + 1]!,
      downloaded: this.#values[at + 2]!,
    };
  }

  set(infohash: Uint8Array, { completed, uploaded, downloaded }: SwarmTotals): void {
    const at = this.#index.add(infohash) * 3;
    if (this.#values.length < this.#index.capacity * 3) {
      const values = new Float64Array(this.#index.capacity * 3);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[at] = completed;
    this.#values[at + 1] = uploaded;
    this.#values[at + 2] = downloaded;
  }
}
