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
  /** Everything that was saved, under infohashes of 20 bytes. It is read while it is gone through. */
  all(): Iterable<SwarmTotal & { readonly infohash: Uint8Array }>;
  /** Writes what changed in one transaction. */
  save(totals: readonly (SwarmTotal & { readonly infohash: Uint8Array })[]): Promise<void>;
}
