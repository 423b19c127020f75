import type { Infohashes } from "../base/infohash.ts";

/** Peers of a torrent as our own tracker sees them. */
export interface SwarmCount {
  readonly seeds: number;
  readonly leechers: number;
  /** Downloads reported as finished. */
  readonly completed: number;
}

/**
 * Our own tracker, as far as publishing needs it: a function call, no packets. `daemon/` fits the tracker
 * to this shape.
 */
export interface SwarmRegistry {
  /** From now on peers may meet under each of these infohashes, and the everseed is among them. Harmless when done twice. */
  register(infohashes: Infohashes): void;
  /** From now on no peer meets another there, and the everseed is gone from it. */
  unregister(infohashes: Infohashes): void;
  /**
   * Tells whether a torrent is on its way here: then peers may meet, and the everseed is not among them yet.
   *
   * @param infohash - 20 bytes, as peers say it.
   */
  setFetched(infohash: Uint8Array, isFetched: boolean): void;
  /** Tells whether the everseed has all of a registered torrent, and so is a seed. */
  setWhole(infohashes: Infohashes, isWhole: boolean): void;
  /** Peers under all of the infohashes together, each counted once where that can be told. */
  count(infohashes: Infohashes): SwarmCount;
}
