import { InfohashIndex } from "./infohash-index.ts";

const NONE = -1;

/** All-time totals of one swarm. */
export interface SwarmTotals {
  readonly completed: number;
  /** Bytes, as the peers reported them. */
  readonly uploaded: number;
  readonly downloaded: number;
}

/**
 * Totals of every swarm that was ever active, in 48 bytes each. A swarm resumes from them when it
 * opens, and a scrape reports them for a torrent without peers.
 */
export class KnownTotals {
  readonly #index: InfohashIndex;
  /** Completions, bytes uploaded and bytes downloaded, by number of the infohash. */
  #values = new Float64Array(0);

  /**
   * @param key - 32 secret bits.
   * @param saved - Totals that earlier processes saved.
   */
  constructor(key: number, saved: Iterable<SwarmTotals & { readonly infohash: Uint8Array }>) {
    this.#index = new InfohashIndex(key);
    for (const { infohash, ...totals } of saved) this.set(infohash, totals);
  }

  /** @param infohash - The first infohash of its torrent, 20 bytes. */
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
