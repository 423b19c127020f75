import type { Infohashes } from "../base/infohash.ts";

/** Peers of a torrent as our own tracker sees them. */
export interface SwarmCount {
  readonly seeds: number;
  readonly leechers: number;
  /** Downloads reported as finished. */
  readonly completed: number;
}

/**
 * Our own tracker, as far as publishing needs it: function calls, no packets. `daemon/` adapts the tracker to this
 * interface.
 */
export interface SwarmRegistry {
  /** Peers may meet under each of these infohashes from now on, with the everseed among them. Safe to repeat. */
  register(infohashes: Infohashes): void;
  /** Peers cannot meet there any more, and the everseed leaves. */
  unregister(infohashes: Infohashes): void;
  /**
   * Tells whether a torrent is being fetched: peers may then meet, but the everseed is not among them yet.
   *
   * @param infohash - 20 bytes, the wire form.
   */
  setFetched(infohash: Uint8Array, isFetched: boolean): void;
  /** Tells whether the everseed has all of a registered torrent, and so counts as a seed. */
  setWhole(infohashes: Infohashes, isWhole: boolean): void;
  /** Peers under all of the infohashes together, each counted once where possible. */
  count(infohashes: Infohashes): SwarmCount;
}
