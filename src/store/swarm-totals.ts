/** Of one swarm, over all time. */
export interface SwarmTotal {
  /** Downloads finished. */
  readonly completed: number;
  /** Bytes, as peers reported them. */
  readonly uploaded: number;
  readonly downloaded: number;
}

/** What swarms have done. The peers in them live in memory (TRK-17). */
export interface SwarmTotalTable {
  /**
   * Answers at once, in microseconds: asked when a swarm opens.
   *
   * @param infohash - 20 bytes, as they were saved.
   */
  find(infohash: Uint8Array): SwarmTotal | undefined;
  /** Writes what changed in one transaction. */
  save(totals: readonly (SwarmTotal & { readonly infohash: Uint8Array })[]): Promise<void>;
}
