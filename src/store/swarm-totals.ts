/** The totals of one swarm over all time. */
export interface SwarmTotal {
  /** Downloads finished. */
  readonly completed: number;
  /** Bytes, as peers reported them. */
  readonly uploaded: number;
  readonly downloaded: number;
}

/** The totals of swarms. Their peers are in memory only (TRK-17). */
export interface SwarmTotalTable {
  /** All saved totals, under infohashes of 20 bytes. The rows are read during the iteration. */
  all(): Iterable<SwarmTotal & { readonly infohash: Uint8Array }>;
  /** Writes what changed in one transaction. */
  save(totals: readonly (SwarmTotal & { readonly infohash: Uint8Array })[]): Promise<void>;
}
